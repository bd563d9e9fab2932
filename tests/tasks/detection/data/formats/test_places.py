"""Photos of one name in two folders, photos that several files name, and names of other computers."""

import json

import numpy as np
import pytest
from PIL import Image

from tasks.detection.data import reading
from tasks.detection.data.formats.places import Places

WIDTH, HEIGHT = 80, 60


def photos(root, *names):
    """Even photos; the tests tell them by their paths."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (10 * number, 90, 60)).save(root / name)


def voc(root, name, left, folder="", filename=""):
    """An XML file with one box that begins at `left`."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(f"<annotation><folder>{folder}</folder><filename>{filename}</filename><object><name>cat"
                             f"</name><bndbox><xmin>{left}.5</xmin><ymin>5</ymin><xmax>60.5</xmax><ymax>50</ymax>"
                             "</bndbox></object></annotation>")


def coco(root, name, images, annotations, categories=("cat", "dog")):
    """A JSON file of file names by number, and of (image, category, left) of each box, 20 pixels a side."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps({
        "images": [{"id": number, "file_name": file} for number, file in images.items()],
        "categories": [{"id": number, "name": each} for number, each in enumerate(categories)],
        "annotations": [{"id": row, "image_id": image, "category_id": kind, "bbox": [left, 5, 20, 20]}
                        for row, (image, kind, left) in enumerate(annotations)]}))


def lefts(found):
    """Where the boxes of each photo begin."""
    return {sample.path: np.round(sample.boxes[:, 0], 1).tolist() for sample in found.samples}


def test_xml_files_of_one_name_belong_to_the_photos_of_their_folders(tmp_path):
    photos(tmp_path, *(f"JPEGImages/{folder}/{name}.png" for folder in "ab" for name in "01"))
    voc(tmp_path, "Annotations/a/0.xml", 10)
    voc(tmp_path, "Annotations/b/0.xml", 20)
    voc(tmp_path, "Annotations/b/1.xml", 30)  # that of a/1.png lacks
    found = reading.read_boxes(str(tmp_path))
    assert lefts(found) == {"JPEGImages/a/0.png": [10.5], "JPEGImages/b/0.png": [20.5], "JPEGImages/b/1.png": [30.5]}
    assert not found.problems


def test_the_folder_that_an_xml_file_tells_counts_where_its_own_tells_nothing(tmp_path):
    photos(tmp_path, "JPEGImages/a/0.png", "JPEGImages/b/0.png")
    voc(tmp_path, "Annotations/0.xml", 20, folder="b")
    assert lefts(reading.read_boxes(str(tmp_path))) == {"JPEGImages/b/0.png": [20.5]}


def test_an_xml_file_that_may_belong_to_two_photos_is_named_and_none_gets_its_boxes(tmp_path):
    photos(tmp_path, "JPEGImages/a/0.png", "JPEGImages/b/0.png", "JPEGImages/c/1.png")
    voc(tmp_path, "Annotations/0.xml", 20)
    voc(tmp_path, "Annotations/1.xml", 30)
    found = reading.read_boxes(str(tmp_path))
    assert lefts(found) == {"JPEGImages/c/1.png": [30.5]}
    assert found.problems == ["Annotations/0.xml: several photos have this name, and their folders agree equally with "
                              "its: JPEGImages/a/0.png and JPEGImages/b/0.png, expected one: put the file beside its "
                              "photo"]


def test_two_xml_files_for_one_photo_are_named(tmp_path):
    """The nearer counts; where both are as near, neither does."""
    photos(tmp_path, "JPEGImages/b/0.png", "JPEGImages/1.png")
    voc(tmp_path, "Annotations/a/0.xml", 10)  # a/0.png is gone
    voc(tmp_path, "Annotations/b/0.xml", 20)
    voc(tmp_path, "Annotations/1.xml", 30)
    voc(tmp_path, "labels/1.xml", 40)
    found = reading.read_boxes(str(tmp_path))
    assert lefts(found) == {"JPEGImages/b/0.png": [20.5]}
    gone, both = sorted(found.problems)
    assert gone.startswith("Annotations/1.xml and labels/1.xml both belong to the photo JPEGImages/1.png, expected one")
    assert both.startswith("Annotations/a/0.xml: the photo nearest to it is JPEGImages/b/0.png, which belongs to "
                           "Annotations/b/0.xml, expected a photo of its own: put that photo back")


def test_a_photo_that_several_files_or_images_name_has_the_boxes_of_all_and_each_once(tmp_path):
    photos(tmp_path, "images/0.png", "images/1.png")
    coco(tmp_path, "annotations/instances.json", {1: "0.png", 2: "1.png", 3: "0.png"},
         [(1, 0, 10), (1, 1, 20), (2, 1, 30), (3, 1, 40)])
    coco(tmp_path, "annotations/more.json", {7: "0.png"}, [(7, 0, 20), (7, 1, 10)], ("dog", "cat"))
    found = reading.read_boxes(str(tmp_path))
    first, second = found.samples
    assert sorted((found.names[label], left) for label, left in zip(first.labels, first.boxes[:, 0])) == [
        ("cat", 10), ("dog", 20), ("dog", 40)]
    assert second.boxes[:, 0].tolist() == [30] and not found.problems


def test_files_without_boxes_beside_those_with_boxes_are_named_and_not_read(tmp_path, capsys):
    photos(tmp_path, "images/0.png")
    coco(tmp_path, "annotations/instances.json", {1: "0.png"}, [(1, 0, 10)])
    images = [{"id": 1, "file_name": "0.png"}]
    captions = {"images": images, "annotations": [{"id": 5, "image_id": 1, "caption": "a cat"}]}
    (tmp_path / "annotations" / "captions.json").write_text(json.dumps(captions))
    (tmp_path / "annotations" / "image_info.json").write_text(json.dumps({"images": images, "categories": []}))
    panoptic = {"images": images, "categories": [], "annotations": [{"image_id": 1, "segments_info": []}]}
    (tmp_path / "annotations" / "panoptic.json").write_text(json.dumps(panoptic))
    found = reading.read_boxes(str(tmp_path))
    assert lefts(found) == {"images/0.png": [10]} and not found.problems
    assert ("left out 3 JSON files without boxes: annotations/captions.json: it has no list of categories, "
            "annotations/image_info.json: it has no list of annotations, "
            "annotations/panoptic.json: its annotations have no category_id\n") in capsys.readouterr().out


@pytest.mark.parametrize("begin", ["C:\\Users\\me\\", "/home/me/photos/", "../images/", ""])
def test_names_of_another_computer_find_the_photo_by_the_longest_end_that_is_there(begin, tmp_path):
    photos(tmp_path, "images/a/0.png", "images/b/0.png")
    slash = "\\" if "\\" in begin else "/"
    coco(tmp_path, "annotations/x.json", {1: f"{begin}a{slash}0.png", 2: f"{begin}b{slash}0.png"},
         [(1, 0, 10), (2, 0, 20)])
    assert lefts(reading.read_boxes(str(tmp_path))) == {"images/a/0.png": [10], "images/b/0.png": [20]}


def test_a_name_that_several_photos_have_is_said_with_two_of_them(tmp_path):
    photos(tmp_path, "images/a/0.png", "images/b/0.png", "images/c/0.png", "images/c/1.png")
    coco(tmp_path, "x.json", {1: "0.png", 2: "1.png"}, [(1, 0, 10), (2, 0, 20)])
    found = reading.read_boxes(str(tmp_path))
    assert lefts(found) == {"images/c/1.png": [20]}
    assert found.problems == ["x.json: several photos are called '0.png': images/a/0.png, images/b/0.png and 1 more, "
                              "expected one: write their folders into file_name"]


def test_boxes_of_a_photo_that_is_gone_do_not_land_on_one_of_the_same_name(tmp_path):
    photos(tmp_path, "images/b/0.png")
    coco(tmp_path, "x.json", {1: "data/a/0.png", 2: "data/b/0.png"}, [(1, 0, 10), (2, 0, 20)])
    found = reading.read_boxes(str(tmp_path))
    assert lefts(found) == {"images/b/0.png": [20]}
    assert len(found.problems) == 1 and "x.json, the image 1: the photo nearest to it is" in found.problems[0]


def test_a_path_from_the_folder_of_the_file_counts_first():
    places = Places(["0.png", "a/0.png", "a/b/0.png"])
    assert [places.found("0.png", folder)[0] for folder in ("", "a", "a/b", "c")] == [
        ["0.png"], ["a/0.png"], ["a/b/0.png"], ["0.png"]]
    assert places.found("../0.png", "a/b") == (["a/0.png"], float("inf"))
    assert places.found("x/a/0.png") == (["a/0.png"], 2) and places.found("1.png") == ([], 0)
