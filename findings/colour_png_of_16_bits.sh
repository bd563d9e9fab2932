#!/usr/bin/env bash
# imageio and scikit-image read a PNG of 16 bits as 16 bits where it is grey, and in silence as 8 bits where it is in
# colour.
#
# imageio 2.38.1 and scikit-image 0.26.0 with Pillow 13.0.0, which reads the file for both. Of a colour PNG they return
# the upper byte as uint8; of a grey one they return all of uint16. The guess, from the grey PNG, is that the reader
# keeps the depth. A measure on such pictures then has 256 levels in place of 65536, and a division by 65535 makes them
# black. OpenCV keeps all 16 bits. Seen:
#   imageio: grey PNG uint16, colour PNG uint8
#   scikit-image: grey PNG uint16, colour PNG uint8
#   OpenCV: colour PNG uint16
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet imageio==2.38.1 scikit-image==0.26.0 pillow==13.0.0 \
  opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
env/bin/python - <<'EOF'
import cv2
import imageio.v3 as imageio
import numpy as np
import skimage.io

rng = np.random.default_rng(0)
colour = rng.integers(0, 65536, (8, 8, 3), dtype="uint16")
cv2.imwrite("grey.png", colour[..., 0])
cv2.imwrite("colour.png", colour[..., ::-1])
right = True
for name, read in {"imageio": imageio.imread, "scikit-image": skimage.io.imread}.items():
    grey, png = (np.asarray(read(file)) for file in ("grey.png", "colour.png"))
    print(f"{name}: grey PNG {grey.dtype}, colour PNG {png.dtype}")
    right &= np.array_equal(grey, colour[..., 0]) and png.dtype == "uint8" and np.array_equal(png, colour >> 8)
kept = cv2.imread("colour.png", cv2.IMREAD_UNCHANGED)
print(f"OpenCV: colour PNG {kept.dtype}")
if not (right and np.array_equal(kept[..., ::-1], colour)):
    raise SystemExit("changed: how deep a colour PNG of 16 bits is read")
EOF
