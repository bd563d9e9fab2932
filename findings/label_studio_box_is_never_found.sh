#!/usr/bin/env bash
# Label Studio's COCO export numbers annotations from 0, and pycocotools never counts the box of annotation 0 as found.
#
# label-studio-sdk 2.1.2 and pycocotools 2.0.11. COCOeval keeps for each detection the id of the box that it matched,
# and 0 means "none". So a detector that finds every box exactly gets an AP below 1: the fewer boxes, the lower. The
# guess is that an id is only a name. The same file with 1 added to every id gives 1. Seen, for ten pictures with a box
# each, and detections equal to the boxes:
#   ids from 0, as exported: AP 0.8109
#   ids from 1: AP 1.0000
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet label-studio-sdk==2.1.2 pycocotools==2.0.11 numpy==2.2.6 pillow==13.0.0
cd "$work"
cat > export.py <<'EOF'
import json
import logging

from label_studio_sdk.converter import Converter

logging.disable()
CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">
<Label value="cat"/></RectangleLabels></View>"""


def task(number):
    box = {"x": 40, "y": 30, "width": 30, "height": 20, "rotation": 0, "rectanglelabels": ["cat"]}
    result = {"id": "a", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": 200,
              "original_height": 100, "image_rotation": 0, "value": box}
    return {"id": number, "data": {"image": f"{number}.png"},
            "annotations": [{"id": number, "completed_by": {"id": 1}, "result": [result]}]}


with open("tasks.json", "w") as file:
    json.dump([task(number) for number in range(1, 11)], file)
Converter(CONFIG, ".", download_resources=False).convert_to_coco(
    "tasks.json", "coco", is_dir=False, output_image_dir="coco/images")
EOF
env/bin/python export.py > told.txt 2>&1 || { cat told.txt >&2; exit 1; }
env/bin/python - <<'EOF'
import contextlib
import io
import json

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def average_precision(first):
    with open("coco/result.json") as file:
        data = json.load(file)
    assert [row["id"] for row in data["annotations"]] == list(range(10)), "changed: Label Studio's ids"
    for row in data["annotations"]:
        row["id"] += first
    names = ("image_id", "category_id", "bbox")
    found = [{name: row[name] for name in names} | {"score": 0.9} for row in data["annotations"]]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = data
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


from_0, from_1 = average_precision(0), average_precision(1)
print(f"ids from 0, as exported: AP {from_0:.4f}\nids from 1: AP {from_1:.4f}")
if not (0.7 < from_0 < 0.9 and from_1 > 0.999):
    raise SystemExit("changed: what annotation 0 counts")
EOF
