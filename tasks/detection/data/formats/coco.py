"""Boxes as COCO's JSON: photos, categories and annotations by number."""

import json
import os
from collections.abc import Sequence
from functools import partial

from tasks.detection.data.samples import Annotations, Damaged, Thing, check_size, number_of
from utils.data.files import reading

PARTS = ("images", "annotations", "categories")


def is_coco(path: str) -> bool:
    """Whether a JSON file begins as one of COCO may: with an object that names annotations."""
    with open(path, "rb") as file:
        begun = file.read(1 << 20)
    return begun.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and (b'"annotations"' in begun or b'"images"' in begun)


def read(root: str, images: Sequence[str], others: Sequence[str]) -> Annotations:
    """The boxes of the JSON files below a folder. Categories of one name are one class, whatever their numbers; classes
    are in the order of the numbers.

    Args:
        images, others: files below `root`, as `utils.data.files.walk` gives them.
    """
    files = [path for path in others if path.endswith(".json") and is_coco(os.path.join(root, path))]
    names: list[str] = []
    photos, problems = {}, []
    place = places(images)
    for path in files:
        content = opened(os.path.join(root, path))
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
            photo = found_at(str(picture.get("file_name", "")), os.path.dirname(path), place)
            if photo:
                told = picture.get("width"), picture.get("height")
                photos[photo] = partial(things, path, listed[number], numbers, told)
            else:
                problems.append(f"{path}: the photo {picture.get('file_name')!r} is not below {root}, expected it "
                                "there: put it there, or remove it from images")
    return Annotations(names, photos, problems, f"{len(files)} file" + ("s" if len(files) != 1 else ""))


def opened(path: str) -> dict:
    """The content of a JSON file of COCO; ValueError where it is damaged."""
    with reading(path, "COCO's JSON with images, annotations and categories", "export it again"):
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
        for part in PARTS:
            if not isinstance(content, dict) or not isinstance(content.get(part), list):
                raise ValueError(f"it has no list of {part}")
            if not all(isinstance(each, dict) for each in content[part]):
                raise ValueError(f"its list of {part} holds other things than objects")
    return content


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


def places(images: Sequence[str]) -> dict[str, str]:
    """Photos by their path, and by the end of it where only one photo has this end."""
    made: dict[str, str] = {}
    ends: dict[str, list[str]] = {}
    for path in images:
        parts = path.split(os.sep)
        for row in range(len(parts)):
            ends.setdefault("/".join(parts[row:]), []).append(path)
    made |= {end: paths[0] for end, paths in ends.items() if len(paths) == 1}
    return made | {path.replace(os.sep, "/"): path for path in images}


def found_at(name: str, folder: str, place: dict[str, str]) -> str:
    """The photo of a name: beside the JSON file, or wherever only one has this name; "": there is none."""
    name = name.replace("\\", "/").removeprefix("./")
    tried = [f"{folder.replace(os.sep, '/')}/{name}"] if folder else []
    return next((place[each] for each in [*tried, name, name.rsplit("/", 1)[-1]] if each in place), "")


def things(path: str, rows: list[dict], numbers: dict[int, int], told: tuple, size: tuple[int, int]) -> list[Thing]:
    """The boxes of a photo of (width, height)."""
    try:
        check_size(told, size)
    except Damaged as error:
        raise Damaged(f"{path}: {error}") from None
    made = []
    for row in rows:
        try:
            made.append(thing(row, numbers))
        except Damaged as error:
            raise Damaged(f"{path}, annotation {row.get('id')}: {error}") from None
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
