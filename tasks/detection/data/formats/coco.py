"""Boxes as COCO's JSON: photos, categories and annotations by number."""

import json
import math
import os
from collections.abc import Sequence
from functools import partial

from tasks.detection.data.formats.parts import WORDS, by_photo, part_of, word_of
from tasks.detection.data.formats.places import Claim, Places, settled, several
from tasks.detection.data.samples import Annotations, Damaged, Thing, check_size, number_of
from utils.data.files import reading
from utils.saying import counted, either, left_out

PARTS = ("images", "annotations", "categories")
EXPECTED = "COCO's JSON with images, annotations and categories"


def is_coco(path: str) -> bool:
    """Whether a JSON file begins as one of COCO may: with an object that names annotations."""
    with open(path, "rb") as file:
        begun = file.read(1 << 20)
    return begun.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and (b'"annotations"' in begun or b'"images"' in begun)


def read(root: str, images: Sequence[str], others: Sequence[str]) -> Annotations:
    """The boxes of the JSON files below a folder. Categories of one name are one class, whatever their numbers; classes
    are in the order of the numbers. A photo that several files name has the boxes of all of them.

    Args:
        images, others: files below `root`, as `utils.data.files.walk` gives them.
    """
    files = [path for path in others if path.endswith(".json") and is_coco(os.path.join(root, path))]
    names: list[str] = []
    claims, problems, without = [], [], {}
    places = Places(images)
    for path in files:
        content = opened(os.path.join(root, path))
        if lack := lacking(content):
            without[path] = lack
            continue
        categories = by_id(content["categories"], path, "category")
        for number in sorted(categories):
            name = str(categories[number].get("name", f"category {number}"))
            names += [name] if name not in names else []
        numbers = {number: names.index(str(each.get("name", f"category {number}")))
                   for number, each in categories.items()}
        pictures = by_id(content["images"], path, "image")
        listed: dict = {number: [] for number in pictures}
        for each in content["annotations"]:
            if each.get("image_id") in listed:
                listed[each["image_id"]].append(each)
            else:
                problems.append(f"{path}: the annotation {each.get('id')} belongs to the image {each.get('image_id')}, "
                                "which is not there, expected one of images: remove it, or add the image")
        for number, picture in pictures.items():
            sides = picture.get("width"), picture.get("height")
            each = claimed(root, path, picture, places, (path, listed[number], numbers, sides))
            (problems if isinstance(each, str) else claims).append(each)
    if without and len(without) == len(files):
        path, lack = next(iter(without.items()))
        raise ValueError(f"{os.path.join(root, path)}: cannot be read ({lack}); expected {EXPECTED}; export it again")
    left_out(f"{counted(len(without), 'JSON file')} without boxes", [f"{path}: {lack}" for path, lack in
                                                                     without.items()])
    owners, twice = settled(claims)
    photos = {photo: partial(things, [claim.content for claim in each]) for photo, each in owners.items()}
    told = [(word, photo) for photo, each in owners.items() for claim in each if (word := word_of(claim.content[0]))]
    return Annotations(names, photos, [*problems, *twice], counted(len(files) - len(without), "file"), by_photo(told),
                       "the names of the JSON files")


def claimed(root: str, path: str, picture: dict, places: Places, content: tuple) -> Claim | str:
    """The claim of an image of a file on its photo, with `content`; or a line that says why it has none.

    Names without folders may stand in train2017 and in val2017: there the part that the file names counts.
    """
    name, part = str(picture.get("file_name", "")), WORDS.get(word_of(path), "")
    there, matched = places.found(name, os.path.dirname(path))

    def fits(photo: str) -> bool:
        return not part or bool(part_of(name.replace("\\", os.sep))) or part_of(photo) in ("", part)

    there = [photo for photo in there if fits(photo)] or there
    if len(there) == 1:
        whole = matched == math.inf
        return Claim(there[0], (matched, fits(there[0])), there[0] if whole else name,
                     f"{path}, the image {picture['id']}", content)
    if there:
        return (f"{path}: several photos are called {name!r}: {several(there)}, expected one: write their folders into "
                "file_name")
    return (f"{path}: the photo {name!r} is not below {root}, expected it there: put it there, or remove it from "
            "images")


def opened(path: str) -> dict:
    """The content of a JSON file of COCO; ValueError where it is damaged."""
    with reading(path, EXPECTED, "export it again"):
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
        for part in PARTS:
            rows = content.get(part)
            if isinstance(rows, list) and not all(isinstance(each, dict) for each in rows):
                raise ValueError(f"its list of {part} holds other things than objects")
    return content


def lacking(content: dict) -> str:
    """What a file of boxes has and this content has not, in words, as of one with captions; "": nothing."""
    missing = [part for part in PARTS if not isinstance(content.get(part), list)]
    if missing:
        return f"it has no list of {either(missing)}"
    rows = content["annotations"]
    return "its annotations have no category_id" if rows and not any("category_id" in row for row in rows) else ""


def by_id(rows: list[dict], path: str, what: str) -> dict:
    """Rows by their numbers, which may have gaps and begin at 0 or 1; ValueError where one lacks or comes twice."""
    made = {}
    for row in rows:
        if not isinstance(row.get("id"), int) or row["id"] in made:
            wrong = "twice" if row.get("id") in made else "not a whole number"
            raise ValueError(f"{path}: the id {row.get('id')!r} of a {what} is {wrong}, expected each once: export it "
                             "again")
        made[row["id"]] = row
    return made


def things(told: Sequence[tuple], size: tuple[int, int]) -> list[Thing]:
    """The boxes of a photo of (width, height); a box and its class that several files tell count once.

    Args:
        told: of each image of a file that is this photo: the file, the annotations, the index of the class by the
            number of the category, and the size that is told.
    """
    made: list[Thing] = []
    for path, rows, numbers, sides in told:
        known = {(each.label, *each.box) for each in made}
        try:
            check_size(sides, size)
        except Damaged as error:
            raise Damaged(f"{path}: {error}") from None
        for row in rows:
            try:
                each = thing(row, numbers)
            except Damaged as error:
                raise Damaged(f"{path}, annotation {row.get('id')}: {error}") from None
            made += [each] if (each.label, *each.box) not in known else []
    return made


def thing(row: dict, numbers: dict[int, int]) -> Thing:
    """The box of an annotation, or around its polygons where it has no box."""
    if row.get("category_id") not in numbers:
        raise Damaged(f"the category {row.get('category_id')}, expected one of categories: {sorted(numbers)[:10]}; add "
                      "it, or remove the annotation")
    box, outline = row.get("bbox"), row.get("segmentation")
    if not box and isinstance(outline, list) and outline and all(isinstance(each, list) and each for each in outline):
        points = [number_of(each, "a point") for polygon in outline for each in polygon]
        box = [min(points[::2]), min(points[1::2]), max(points[::2]) - min(points[::2]),
               max(points[1::2]) - min(points[1::2])]
    if not isinstance(box, list) or len(box) != 4:
        raise Damaged(f"the box {box!r}, expected [left, top, width, height] in pixels: draw it again")
    left, top, wide, tall = (number_of(each, "a side of the box") for each in box)
    area = row.get("area")
    return Thing([left, top, left + wide, top + tall], numbers[row["category_id"]], bool(row.get("iscrowd")),
                 number_of(area, "the area") if area is not None else None)
