#!/usr/bin/env bash
# keras.layers.RandomCrop moves the picture and not its boxes with it.
#
# keras 3.15.1 on JAX 0.10.2. A bright rectangle is drawn, its box is given with
# bounding_box_format="xyxy", and where the rectangle lies afterwards is read off the pixels. A crop that begins at
# (x, y) moves the box by (y, x): the two starts are exchanged (reported as keras-team/keras issue 23518). Where the
# picture is smaller than the crop, the layer enlarges the picture and takes a part of it, and the box is not enlarged.
# RandomFlip, RandomTranslation and CenterCrop move boxes rightly. Nothing is said, and a detector that trains on such
# crops learns wrong places. Seen (left, top, right, bottom):
#   crop of 48 x 64 out of 64 x 96: the pixels lie at [5, 1, 35, 21], the box at [11, 0, 41, 15]
#   crop of 128 x 128 out of 64 x 96: the pixels lie at [6, 20, 54, 60], the box at [20, 0, 50, 14]
#   CenterCrop of 48 x 64: the pixels lie at [4, 2, 34, 22], the box at [4, 2, 34, 22]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 numpy==2.4.6 jax==0.10.2
cd "$work"
KERAS_BACKEND=jax JAX_PLATFORMS=cpu env/bin/python -W ignore - <<'EOF'
import keras
import numpy as np

BOX = [20, 10, 50, 30]


def moved(layer):
    """Where the pixels of the rectangle lie after a layer, and where its box does."""
    picture = np.zeros((1, 64, 96, 3), "float32")
    picture[:, BOX[1]:BOX[3], BOX[0]:BOX[2]] = 1
    made = layer({"images": picture, "bounding_boxes": {"boxes": np.array([[BOX]], "float32"),
                                                        "labels": np.array([[1]])}}, training=True)
    rows, columns = np.nonzero(np.asarray(made["images"])[0, ..., 0] > 0.5)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return list(map(int, seen)), np.asarray(made["bounding_boxes"]["boxes"])[0, 0].round().astype(int).tolist()


crop, larger = (keras.layers.RandomCrop(*size, seed=2, bounding_box_format="xyxy") for size in ((48, 64), (128, 128)))
centre = keras.layers.CenterCrop(48, 64, bounding_box_format="xyxy")
seen = {"crop of 48 x 64 out of 64 x 96": moved(crop), "crop of 128 x 128 out of 64 x 96": moved(larger),
        "CenterCrop of 48 x 64": moved(centre)}
for name, (pixels, box) in seen.items():
    print(f"{name}: the pixels lie at {pixels}, the box at {box}")
wrong = [max(abs(a - b) for a, b in zip(pixels, box)) > 3 for pixels, box in seen.values()]
if wrong != [True, True, False]:
    raise SystemExit("changed: where the boxes lie")
EOF
