"""Boxes as two annotation tools write them, in three formats each: the tools themselves are installed and write."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tasks.detection.data.reading import read_boxes

pytestmark = pytest.mark.rare  # it installs them, which takes minutes

BOXES = {"one.png": [("cat", (10.0, 12.0, 58.5, 41.25)), ("dog", (120.2, 30.6, 199.0, 99.0))],
         "two.png": [("dog", (0.0, 0.0, 200.0, 100.0))], "none.png": []}
PACKAGES = ("label-studio-sdk==2.0.22", "supervision==0.31.2")
WRITE = """
import json, logging, os
import numpy as np
logging.disable()
import supervision as sv
from label_studio_sdk.converter import Converter

BOXES = {boxes!r}
tasks = []
for number, (name, boxes) in enumerate(BOXES.items(), 1):
    result = [
        {{"id": f"{{number}}{{row}}", "type": "rectanglelabels", "from_name": "label", "to_name": "image",
          "original_width": 200, "original_height": 100, "image_rotation": 0,
          "value": {{"x": left / 2, "y": top, "width": (right - left) / 2, "height": bottom - top, "rotation": 0,
                     "rectanglelabels": [kind]}}}} for row, (kind, (left, top, right, bottom)) in enumerate(boxes)]
    tasks.append({{"id": number, "data": {{"image": f"photos/{{name}}"}},
                  "annotations": [{{"id": number, "completed_by": {{"id": 1}}, "result": result}}]}})
json.dump(tasks, open("tasks.json", "w"))
converter = Converter('<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
                      '<Label value="cat"/><Label value="dog"/></RectangleLabels></View>', ".")
for form in ("coco", "yolo", "voc"):
    out = f"label_studio_{{form}}"
    getattr(converter, f"convert_to_{{form}}")("tasks.json", out, is_dir=False, output_image_dir=out + "/images")

kinds = ["cat", "dog"]
found = {{f"photos/{{name}}": sv.Detections(xyxy=np.array([box for _, box in boxes], float),
                                          class_id=np.array([kinds.index(kind) for kind, _ in boxes]))
         if boxes else sv.Detections.empty() for name, boxes in BOXES.items()}}
data = sv.DetectionDataset(kinds, list(found), found)
data.as_coco("supervision_coco/images", "supervision_coco/annotations.json")
data.as_yolo("supervision_yolo/images", "supervision_yolo/labels", "supervision_yolo/data.yaml")
data.as_pascal_voc("supervision_voc/images", "supervision_voc/annotations")
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder in which both tools have written every format."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "photos").mkdir()
    for name in BOXES:
        Image.new("RGB", (200, 100), (90, 120, 60)).save(folder / "photos" / name)
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    if subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES]).returncode:
        pytest.skip("the tools could not be installed")
    subprocess.run([python, "-W", "ignore", "-c", WRITE.format(boxes=BOXES)], cwd=folder, check=True)
    for form in ("coco", "yolo", "voc"):  # Label Studio leaves photos of this machine where they are
        shutil.copytree(folder / "photos", folder / f"label_studio_{form}" / "images", dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("tool", ["label_studio", "supervision"])
@pytest.mark.parametrize("form, wrong", [("coco", 0.001), ("yolo", 0.001), ("voc", 1.0)])
def test_boxes_come_back(tool, form, wrong, written):
    """Exactly, but for Pascal VOC: both tools cut the decimals there, and Label Studio draws the far corner in."""
    read = read_boxes(str(written / f"{tool}_{form}"))
    assert (read.form, read.names, read.problems) == (form, ["cat", "dog"], [])
    found = {os.path.basename(each.path): each for each in read.samples}
    silent = {"none.png"} if (tool, form) == ("label_studio", "voc") else set()  # it writes no file without boxes
    assert set(found) == set(BOXES) - silent
    for name, each in found.items():
        assert [read.names[label] for label in each.labels] == [kind for kind, _ in BOXES[name]]
        truth = np.array([box for _, box in BOXES[name]]).reshape(-1, 4)
        np.testing.assert_allclose(np.reshape(each.boxes, (-1, 4)), truth, atol=wrong)
