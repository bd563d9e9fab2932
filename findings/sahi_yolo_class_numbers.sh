#!/usr/bin/env bash
# sahi turns COCO into YOLO with COCO's category ids as class numbers: every class gets the next one's name.
#
# sahi 0.12.8. COCO numbers its categories as it likes, mostly from 1; a YOLO file counts the names of its data.yml
# from 0. export_as_yolo copies the ids as they are, beside the list of all names. Where the last category has no box,
# as in a part of a data set, no number is too large, so no trainer refuses the files, and each cat is learnt as a dog.
# update_categories of sahi's Coco mends it. The guess is that an exporter writes numbers that fit the names which it
# writes beside them. Seen, for a cat (id 1) and a dog (id 2) of the categories cat, dog and owl (1 to 3):
#   a cat reads as dog, a dog reads as owl
#   with update_categories: a cat reads as cat, a dog reads as dog
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet sahi==0.12.8 numpy==2.4.6 pillow==12.3.0 pyyaml==6.0.4
cd "$work"
env/bin/python -W ignore - <<'EOF'
import json
import os
from pathlib import Path

import yaml
from PIL import Image
from sahi.utils.coco import Coco

NAMES = ("cat", "dog", "owl")
Path("images").mkdir()
for name in NAMES[:2]:
    Image.new("RGB", (80, 60)).save(f"images/{name}.png")
coco = {"images": [{"id": n, "file_name": f"{name}.png", "width": 80, "height": 60}
                   for n, name in enumerate(NAMES[:2], 1)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, 1)],
        "annotations": [{"id": n, "image_id": n, "category_id": n, "bbox": [8, 6, 40, 30], "area": 1200, "iscrowd": 0}
                        for n in (1, 2)]}
Path("coco.json").write_text(json.dumps(coco))


def exported(folder, numbers):
    """By the picture, the name that a YOLO reader takes its box for."""
    read = Coco.from_coco_dict_or_path("coco.json", image_dir="images")
    if numbers:
        read.update_categories(numbers)
    os.mkdir(folder)
    read.export_as_yolo(folder, train_split_rate=1.0, disable_symlink=True)
    names = yaml.safe_load(Path(folder, "data.yml").read_text())["names"]
    return {file.stem: names[int(file.read_text().split()[0])] for file in sorted(Path(folder, "train").glob("*.txt"))}


def in_words(seen):
    return ", ".join(f"a {name} reads as {other}" for name, other in seen.items())


plain, mended = exported("plain", None), exported("mended", {name: n for n, name in enumerate(NAMES)})
print(f"{in_words(plain)}\nwith update_categories: {in_words(mended)}")
if (plain, mended) != ({"cat": "dog", "dog": "owl"}, {"cat": "cat", "dog": "dog"}):
    raise SystemExit("changed: the class numbers in YOLO files")
EOF
