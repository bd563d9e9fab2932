#!/usr/bin/env bash
# supervision numbers the classes of Pascal VOC in the order in which the files show them, so train and valid get other
# numbers.
#
# supervision 0.31.2. DetectionDataset.from_pascal_voc reads one folder and gives number 0 to the class that it meets
# first. Two parts of one data set, read each by itself, as for COCO and YOLO, so give one class two numbers. A detector
# trained on the one and measured on the other is wrong everywhere, and nothing is said. DetectionDataset.merge maps the
# numbers. The guess is that classes are sorted by name. Seen, for the same two classes in both folders:
#   train ['cat', 'dog'], valid ['dog', 'cat']
#   valid, merged with train: ['cat', 'dog']
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet supervision==0.31.2 numpy==2.4.6 pillow==13.0.0
cd "$work"
env/bin/python -W ignore - <<'EOF'
import os

import supervision as sv
from PIL import Image

NOTE = """<annotation><filename>{0}.png</filename><size><width>60</width><height>40</height><depth>3</depth></size>
<object><name>{1}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object>
</annotation>"""
parts = {}
for part, names in {"train": ("cat", "dog"), "valid": ("dog", "cat")}.items():
    os.mkdir(part)
    for number, name in enumerate(names):
        Image.new("RGB", (60, 40)).save(f"{part}/{number}.png")
        with open(f"{part}/{number}.xml", "w") as file:
            file.write(NOTE.format(number, name))
    parts[part] = sv.DetectionDataset.from_pascal_voc(part, part)
merged = sv.DetectionDataset.merge(list(parts.values()))
print(f"train {parts['train'].classes}, valid {parts['valid'].classes}\nvalid, merged with train: {merged.classes}")
if (parts["train"].classes, parts["valid"].classes, merged.classes) != (["cat", "dog"], ["dog", "cat"], ["cat", "dog"]):
    raise SystemExit("changed: the numbers of classes")
EOF
