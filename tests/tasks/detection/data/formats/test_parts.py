"""Parts of a set that its lists and folders tell are used, and where they cannot be used that is said."""

import json

import pytest
from PIL import Image

from tasks.detection.data import reading, splitting
from tasks.detection.data.formats.parts import part_of, word_of

BOX = "<object><name>cat</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax></bndbox></object>"
COUNTS = {"train": range(8), "val": range(8, 10), "test": range(10, 12)}


def photos(root, folder):
    """Twelve photos of different colours in the folder of each; returns their names by part."""
    made = {}
    for part, numbers in COUNTS.items():
        for number in numbers:
            path = root / folder(part) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 40), (20 * number, 90, 60)).save(path)
            made.setdefault(part, []).append(path.relative_to(root).as_posix())
    return made


def as_voc(root):
    """ImageSets/Main with trainval beside train and val, and a list of the photos of one class."""
    names = photos(root, lambda part: "JPEGImages")
    (root / "Annotations").mkdir()
    (root / "ImageSets" / "Main").mkdir(parents=True)
    for number in range(12):
        (root / "Annotations" / f"{number}.xml").write_text(f"<annotation>{BOX}</annotation>")
    for part, numbers in {**COUNTS, "trainval": range(10), "cat_train": range(8, 12)}.items():
        (root / "ImageSets" / "Main" / f"{part}.txt").write_text("".join(f"{number}\n" for number in numbers))
    return names, "the lists of ImageSets/Main"


def as_coco(root):
    """Photos in one folder, and a JSON file for each part."""
    names = photos(root, lambda part: "images")
    (root / "annotations").mkdir()
    for part, numbers in COUNTS.items():
        (root / "annotations" / f"instances_{part}2017.json").write_text(json.dumps({
            "images": [{"id": number, "file_name": f"{number}.png"} for number in numbers],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": [{"id": number, "image_id": number, "category_id": 1, "bbox": [5, 5, 20, 20]}
                            for number in numbers]}))
    return names, "the names of the JSON files"


def as_yolo(root, folder=lambda part: f"images/{part[0]}"):
    """Text files in labels/, and folders of other names than train, val and test."""
    names = photos(root, folder)
    for path in sum(names.values(), []):
        text = (root / path.replace("images/", "labels/")).with_suffix(".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text("0 0.5 0.5 0.4 0.4\n")
    return names


def as_yolo_of_folders(root):
    """data.yaml with a path from another computer."""
    (root / "data.yaml").write_text("path: ../datasets/cats  # from elsewhere\ntrain: images/t0\nval: [images/v]\n"
                                    "test: ../cats/images/t1\nnames: [cat]\n")
    return as_yolo(root, lambda part: f"images/{dict(train='t0', val='v', test='t1')[part]}"), "data.yaml"


def as_yolo_of_lists(root):
    """data.yaml that names lists of photos, as they begin on another computer."""
    names = as_yolo(root)
    for part, paths in names.items():
        (root / f"{part}_photos.txt").write_text("".join(f"/home/me/cats/{path}\n" for path in paths))
    (root / "data.yaml").write_text("".join(f"{part}: ./{part}_photos.txt\n" for part in names) + "names: [cat]\n")
    return names, "data.yaml"


def as_darknet(root):
    """Darknet's lists, without data.yaml."""
    names = as_yolo(root)
    for part, paths in names.items():
        (root / f"{part}.txt").write_text("".join(f"data/{path}\n" for path in paths))
    return names, "test.txt and train.txt and val.txt"


def as_folders_with_years(root):
    """train2017, val2017 and test2017, each with its text files."""
    names = photos(root, lambda part: f"{part}2017")
    for path in sum(names.values(), []):
        (root / path).with_suffix(".txt").write_text("0 0.5 0.5 0.4 0.4\n")
    return names, "the folders train, val and test"


@pytest.mark.parametrize("write", [as_voc, as_coco, as_yolo_of_folders, as_yolo_of_lists, as_darknet,
                                   as_folders_with_years])
def test_parts_that_a_set_tells_are_used(write, tmp_path, capsys):
    names, told_by = write(tmp_path)
    found = reading.read_boxes(str(tmp_path))
    parts = splitting.split(found, 0.3, 0.3, 0)
    assert not found.problems and len(found.samples) == 12
    assert {part: sorted(each.path for each in samples) for part, samples in parts.samples.items()} == {
        "train": sorted(names["train"]), "validation": sorted(names["val"]), "test": sorted(names["test"])}
    assert parts.how == f"split by {told_by}: 8 to train on, 2 to validate, 2 to test"
    assert "by chance" not in capsys.readouterr().out


def test_trainval_is_to_train_on_where_no_other_list_names_a_photo(tmp_path):
    as_voc(tmp_path)
    for part in ("train", "val"):
        (tmp_path / "ImageSets" / "Main" / f"{part}.txt").unlink()
    parts = splitting.split(reading.read_boxes(str(tmp_path)), 0.2, 0.3, 0)
    assert [len(samples) for samples in parts.samples.values()] == [8, 2, 2]
    assert {each.path for each in parts.samples["test"]} == {"JPEGImages/10.png", "JPEGImages/11.png"}


def test_a_photo_in_two_lists_is_only_trained_on(tmp_path):
    as_voc(tmp_path)
    (tmp_path / "ImageSets" / "Main" / "test.txt").write_text("7\n10\n11\n")
    parts = splitting.split(reading.read_boxes(str(tmp_path)), 0.3, 0.3, 0)
    assert [len(samples) for samples in parts.samples.values()] == [8, 2, 2]


def test_one_name_in_two_parts_is_found_by_the_part_of_its_file(tmp_path):
    for part in ("train", "val"):
        (tmp_path / f"{part}2017").mkdir()
        Image.new("RGB", (40, 40), (90, 90, 20 * len(part))).save(tmp_path / f"{part}2017" / "0.png")
        (tmp_path / f"instances_{part}2017.json").write_text(json.dumps({
            "images": [{"id": 1, "file_name": "0.png"}], "categories": [{"id": 1, "name": "cat"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [len(part), 5, 20, 20]}]}))
    found = reading.read_boxes(str(tmp_path))
    assert {each.path: each.boxes[0, 0] for each in found.samples} == {"train2017/0.png": 5, "val2017/0.png": 3}
    (tmp_path / "train2017" / "0.png").unlink()
    found = reading.read_boxes(str(tmp_path))
    assert {each.path: each.boxes[:, 0].tolist() for each in found.samples} == {"val2017/0.png": [3]}
    assert len(found.problems) == 1 and "instances_train2017.json, the image 1: the photo nearest" in found.problems[0]


def test_a_file_that_means_a_photo_that_is_gone_gives_no_part_to_another(tmp_path):
    """train/0.png is gone, and val/0.png is the only one of its name."""
    for folder, number in (("val", 0), ("train", 1)):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (40, 40), (90, 90, 20 * number)).save(tmp_path / folder / f"{number}.png")
    for part, numbers in (("train", (0, 1)), ("val", (0,))):
        (tmp_path / f"instances_{part}.json").write_text(json.dumps({
            "images": [{"id": number, "file_name": f"data/{part}/{number}.png"} for number in numbers],
            "categories": [{"id": 1, "name": "cat"}], "annotations": []}))
    found = reading.read_boxes(str(tmp_path))
    assert found.parts == {"val/0.png": "validation", "train/1.png": "train"} and len(found.problems) == 1


@pytest.mark.parametrize("change, said", [
    (lambda lists: (lists / "train.txt").write_text("0\n1\n"),
     "6 photos are in no part: JPEGImages/2.png, JPEGImages/3.png, JPEGImages/4.png, JPEGImages/5.png, "
     "JPEGImages/6.png and 1 more; so photos are split by chance"),
    (lambda lists: (lists / "train.txt").rename(lists / "valid.txt"),
     "the only parts are test and validation; so photos are split by chance"),
])
def test_parts_that_cannot_be_used_are_said(change, said, tmp_path, capsys):
    as_voc(tmp_path)
    (tmp_path / "ImageSets" / "Main" / "trainval.txt").unlink()
    change(tmp_path / "ImageSets" / "Main")
    parts = splitting.split(reading.read_boxes(str(tmp_path)), 0.2, 0.2, 0)
    assert "split by photo" in parts.how
    line = capsys.readouterr().out
    assert said in line and "name a part train and another val or test, with all photos in them" in line


def test_words_of_parts():
    names = ["instances_train2017", "person_keypoints_val", "voc_trainval", "train_val", "default", "info_test-dev2017"]
    assert [word_of(f"train/{name}.json") for name in names] == ["train", "val", "trainval", "", "", "test"]
    assert [part_of(path) for path in ("x/Train_2017/0.png", "valid/images/0.png", "train2/0.png", "train.png")] == [
        "train", "validation", "", ""]
