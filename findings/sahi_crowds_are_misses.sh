#!/usr/bin/env bash
# sahi reads COCO's crowds as ordinary boxes, so a part of a photo that was to be left out is counted as missed.
#
# sahi 0.12.8, pycocotools 2.0.11. In COCO, iscrowd=1 marks a place with many objects that nobody framed one by one;
# pycocotools neither asks for boxes there nor counts those that it finds. sahi's Coco, and with it slice_coco, which
# cuts large photos into tiles for small objects, writes iscrowd=0 for all. The guess is that cutting a photo into tiles
# keeps what its annotations say. Seen, for a photo of one tile with an object, which the detector finds, and a crowd:
#   before: iscrowd 0 and 1, AP 1.000
#   after slice_coco: iscrowd 0 and 0, AP 0.505
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet sahi==0.12.8 pycocotools==2.0.11 numpy==2.4.6 pillow==12.3.0
cd "$work"
env/bin/python -W ignore - <<'EOF'
import contextlib
import io
import json
from pathlib import Path

from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sahi.slicing import slice_coco

ONE, CROWD = [20, 20, 60, 50], [100, 100, 90, 80]
Path("images").mkdir()
Image.new("RGB", (200, 200)).save("images/one.png")
whole = {"images": [{"id": 1, "file_name": "one.png", "width": 200, "height": 200}],
         "categories": [{"id": 1, "name": "dog"}],
         "annotations": [{"id": n, "image_id": 1, "category_id": 1, "bbox": box, "area": box[2] * box[3],
                          "iscrowd": crowd, "segmentation": []} for n, box, crowd in ((1, ONE, 0), (2, CROWD, 1))]}
Path("whole.json").write_text(json.dumps(whole))
tiled, _ = slice_coco("whole.json", "images", "tiled", output_dir="tiles", slice_height=200, slice_width=200,
                      verbose=False)


def measured(data):
    """iscrowd of all boxes, and the AP of a detector that finds the object."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = data
        truth.createIndex()
        found = truth.loadRes([{"image_id": 1, "category_id": 1, "bbox": ONE, "score": 0.9}])
        measure = COCOeval(truth, found, "bbox")
        measure.evaluate()
        measure.accumulate()
        measure.summarize()
    return [each["iscrowd"] for each in data["annotations"]], measure.stats[0]


before, after = measured(whole), measured(tiled)
print(f"before: iscrowd {before[0][0]} and {before[0][1]}, AP {before[1]:.3f}")
print(f"after slice_coco: iscrowd {after[0][0]} and {after[0][1]}, AP {after[1]:.3f}")
if not (before[0] == [0, 1] and after[0] == [0, 0] and before[1] > 0.99 and abs(after[1] - 0.505) < 0.001):
    raise SystemExit("changed: what sahi makes of crowds")
EOF
