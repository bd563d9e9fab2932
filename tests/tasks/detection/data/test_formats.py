"""Boxes in three formats as annotation tools write them; damaged ones, a line each; splits without a leak."""

import json
import os
import re

import numpy as np
import pytest
from PIL import Image

from tasks.detection.data import reading, splitting
from tasks.detection.data.batches import of_photos
from tasks.detection.data.formats import voc, yolo
from tasks.detection.data.formats.plain_yaml import read_yaml
from tasks.detection.data.samples import Damaged, checked

from helpers import scenery

WIDTH, HEIGHT = 80, 60
BOXES = [[10.5, 8.25, 30.5, 28.25], [40, 20, 79, 59.5]]  # of the first photo; its classes are dog and cat
LABELS = ["dog", "cat"]


def photo(path, seed=0, size=(WIDTH, HEIGHT)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scenery(size[1], size[0], seed=seed)).save(path)


def shares(box):
    x, y, wide, tall = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]
    return f"{x / WIDTH:.6f} {y / HEIGHT:.6f} {wide / WIDTH:.6f} {tall / HEIGHT:.6f}"


def yolo_as_ultralytics(root):
    """images/ and labels/ below the parts, data.yaml with a list of names."""
    photo(root / "train" / "images" / "a.png")
    (root / "train" / "labels").mkdir(parents=True)
    (root / "train" / "labels" / "a.txt").write_text(f"1 {shares(BOXES[0])}\n0 {shares(BOXES[1])}\n")
    photo(root / "train" / "images" / "b.png", 1)
    (root / "train" / "labels" / "b.txt").write_text("")
    (root / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['cat', 'dog']\n")


def yolo_as_darknet(root):
    """obj_train_data with photos and texts side by side, obj.names and train.txt, as CVAT writes them."""
    photo(root / "obj_train_data" / "a.png")
    (root / "obj_train_data" / "a.txt").write_text(f"1 {shares(BOXES[0])}\r\n0 {shares(BOXES[1])}\r\n")
    photo(root / "obj_train_data" / "b.png", 1)
    (root / "obj_train_data" / "b.txt").write_text("")
    (root / "obj.names").write_text("cat\ndog\n")
    (root / "obj.data").write_text("classes = 2\nnames = data/obj.names\n")
    (root / "train.txt").write_text("data/obj_train_data/a.png\ndata/obj_train_data/b.png\n")


def yolo_as_label_studio(root):
    """images/ and labels/, classes.txt and notes.json; the second box is a polygon."""
    photo(root / "images" / "a.png")
    photo(root / "images" / "b.png", 1)
    (root / "labels").mkdir()
    left, top, right, bottom = BOXES[1]
    points = [(left, 40), (60, top), (right, 30), (50, bottom)]
    outline = " ".join(f"{x / WIDTH:.6f} {y / HEIGHT:.6f}" for x, y in points)
    (root / "labels" / "a.txt").write_text(f"1 {shares(BOXES[0])}\n0 {outline}")
    (root / "labels" / "b.txt").write_text("")
    (root / "classes.txt").write_text("cat\ndog\n")
    (root / "notes.json").write_text('{"categories": [{"id": 0, "name": "cat"}], "info": {}}')


def coco_as_cvat(root, first=1, number=1):
    """annotations/instances_default.json and images/; categories from 1 on, annotations from `number` on."""
    photo(root / "images" / "a.png")
    photo(root / "images" / "b.png", 1)
    (root / "annotations").mkdir()
    rows = [{"id": number + row, "image_id": 7, "category_id": first + 2 * (label == "dog"), "segmentation": [],
             "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]], "area": 100.0, "iscrowd": 0}
            for row, (box, label) in enumerate(zip(BOXES, LABELS))]
    content = {"licenses": [], "info": {}, "annotations": rows,
               "categories": [{"id": first, "name": "cat"}, {"id": first + 2, "name": "dog"}],
               "images": [{"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT},
                          {"id": 9, "file_name": "b.png", "width": None, "height": None}]}
    (root / "annotations" / "instances_default.json").write_text(json.dumps(content))


def coco_as_label_studio(root):
    """Categories and annotations from 0 on; result.json beside images/, which file_name names."""
    coco_as_cvat(root, 0, 0)
    text = (root / "annotations" / "instances_default.json").read_text()
    (root / "annotations" / "instances_default.json").unlink()
    (root / "result.json").write_text(text.replace('"a.png"', '"images/a.png"').replace('"b.png"', '"images\\\\b.png"'))


def voc_file(name, boxes, labels=LABELS, size=(WIDTH, HEIGHT), extra=""):
    objects = "".join(f"<object><name>{label}</name><difficult>0</difficult><bndbox>"
                      + "".join(f"<{corner}>{value}</{corner}>" for corner, value in zip(voc.CORNERS, box))
                      + "</bndbox></object>" for box, label in zip(boxes, labels))
    return (f"<?xml version='1.0' encoding='utf-8'?><annotation>{extra}<folder/><filename>{name}</filename>"
            f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>{objects}</annotation>")


def voc_as(root, change):
    """Annotations/ and JPEGImages/, with corners changed as a tool does."""
    photo(root / "JPEGImages" / "a.png")
    photo(root / "JPEGImages" / "b.png", 1)
    (root / "Annotations").mkdir()
    (root / "Annotations" / "a.xml").write_text(voc_file("a.png", [[change(side) for side in box] for box in BOXES]))
    (root / "Annotations" / "b.xml").write_text(voc_file("b.png", []))


WRITERS = {
    "yolo, ultralytics": ("yolo", yolo_as_ultralytics, 0.01), "yolo, darknet and CVAT": ("yolo", yolo_as_darknet, 0.01),
    "yolo, Label Studio": ("yolo", yolo_as_label_studio, 0.01), "coco, CVAT": ("coco", coco_as_cvat, 1e-5),
    "coco, Label Studio": ("coco", coco_as_label_studio, 1e-5),
    "voc, datumaro: decimals from 0": ("voc", lambda root: voc_as(root, lambda side: side), 1e-5),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_format_is_recognised_and_its_boxes_are_read(name, tmp_path):
    form, write, near = WRITERS[name]
    write(tmp_path)
    found = reading.read_boxes(str(tmp_path))
    assert found.form == form and not found.problems and sorted(found.names) == ["cat", "dog"], found.problems
    first, second = found.samples
    np.testing.assert_allclose(first.boxes, BOXES, atol=near)
    assert [found.names[label] for label in first.labels] == LABELS and len(second.labels) == 0
    assert f"found {reading.FORMATS[form][0]}" in found.how
    assert "2 photos with 2 boxes of 2 classes, 1 without" in found.how


@pytest.mark.parametrize("offset, boxes, said", [
    (0, [[0, 8, 30, 28], [40, 20, 79, 59]], "some are 0"), (1, [[0, 8, 30, 28], [40, 20, 80, 60]], "beyond the photo"),
    (0, [[10, 8, 30, 28], [40, 20, 79, 59]], "half a pixel"), (1, [[10, 8, 30, 28], [40, 20, 78, 58]], "half a pixel")])
def test_whole_corners_are_right_to_half_a_pixel_whether_a_tool_counts_from_0_or_from_1(offset, boxes, said, tmp_path):
    photo(tmp_path / "a.png")
    (tmp_path / "a.xml").write_text(voc_file("a.png", [[side + offset for side in box] for box in boxes]))
    found = reading.read_boxes(str(tmp_path))
    np.testing.assert_allclose(found.samples[0].boxes, boxes, atol=0.5)
    assert said in found.how


def test_crowds_areas_difficult_objects_and_polygons_without_boxes_are_kept(tmp_path):
    coco_as_cvat(tmp_path)
    path = tmp_path / "annotations" / "instances_default.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["iscrowd"] = 1
    content["annotations"][1] |= {"bbox": None, "segmentation": [[40, 20, 79, 20, 60, 59.5]]}
    path.write_text(json.dumps(content))
    sample = reading.read_boxes(str(tmp_path)).samples[0]
    assert sample.crowd.tolist() == [True, False] and sample.area.tolist() == [100, 100]
    np.testing.assert_allclose(sample.boxes, BOXES, atol=1e-5)
    assert sample.read(str(tmp_path)).labels.tolist() == [-1, 0]
    (tmp_path / "c").mkdir()
    photo(tmp_path / "c" / "a.png")
    (tmp_path / "c" / "a.xml").write_text(voc_file("a.png", BOXES).replace("<difficult>0", "<difficult>1", 1))
    assert reading.read_boxes(str(tmp_path / "c")).samples[0].crowd.tolist() == [True, False]


@pytest.mark.parametrize("text, names", [
    ("names: [a, 'b, c', \"d\"]  # three", ["a", "b, c", "d"]),
    ("nc: 2\nnames:\n- a\n- 'b c'\nroboflow:\n  v: 1", ["a", "b c"]),
    ("names:\n  0: a\n  1: b  # two\n", ["a", "b"]), ("names: {0: a, 1: 'b'}", ["a", "b"]), ("train: x\nnc: 3", []),
    ("names:\n  2: c\n  0: a\n", ["a", "class 1", "c"])])
def test_names_of_a_yaml_file(text, names, tmp_path):
    (tmp_path / "data.yaml").write_text(text)
    assert yolo.names_in(read_yaml(str(tmp_path / "data.yaml"))) == names


def damage_yolo(line):
    def write(root):
        yolo_as_darknet(root)
        (root / "obj_train_data" / "a.txt").write_text(line + "\n")
    return write


def damage_coco(change):
    def write(root):
        coco_as_cvat(root)
        path = root / "annotations" / "instances_default.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
    return write


def damage_voc(text):
    def write(root):
        voc_as(root, lambda side: side)
        (root / "Annotations" / "a.xml").write_text(text)
    return write


BOMB = ('<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]>' + voc_file("a.png", BOXES, extra="<b>&c;</b>")
        .split("?>", 1)[1])
DAMAGES = {
    "swapped corners": (damage_voc(voc_file("a.png", [[30.5, 8, 10, 28]])), "corners swapped, expected left < right"),
    "an empty box": (damage_yolo("1 0.5 0.5 0 0.2"), r"a.txt|is empty, expected a width and a height above 0"),
    "outside of the photo": (damage_yolo("1 1.5 0.5 0.2 0.2"), "lies outside of the photo of 80 x 60"),
    "pixels in place of shares": (damage_yolo("1 40 30 20 20"),
                                  "line 1: the box 40 30 20 20 is in pixels, expected shares"),
    "no number": (damage_yolo("1 0.5 x 0.2 0.2"), "'x' is 'x', expected a number"),
    "a confidence": (damage_yolo("1 0.5 0.5 0.2 0.2 0.9"), "6 numbers, expected 5 .* confidence"),
    "an unknown class": (damage_yolo("2 0.5 0.5 0.2 0.2"), "the class 2, expected a whole number from 0 to 1"),
    "a missing category": (damage_coco(lambda content: content["categories"].pop()), "the category 3, expected one of"),
    "a box of three numbers": (damage_coco(lambda content: content["annotations"][0].update(bbox=[1, 2, 3])),
                               r"annotation 1: the box \[1, 2, 3\], expected \[left, top, width, height\]"),
    "a photo that was turned": (damage_coco(lambda content: content["images"][0].update(width=HEIGHT, height=WIDTH)),
                                "the file tells 60 x 80 pixels, the photo has 80 x 60, .*turned after it was labelled"),
    "not finite": (damage_coco(lambda content: content["annotations"][0].update(bbox=[1, 2, float("nan"), 3])),
                   "is not finite, expected left, top"),
    "a photo that is gone": (damage_coco(lambda content: content["images"][0].update(file_name="c.png")),
                             "the photo 'c.png' is not below .*: put it there"),
    "an annotation of no photo": (damage_coco(lambda content: content["annotations"][0].update(image_id=8)),
                                  "annotation 1 belongs to the image 8, which is not there"),
    "a cut file": (damage_voc(voc_file("a.png", BOXES)[:-30]), "a.xml: no XML .*, expected a whole file"),
    "entities": (damage_voc(BOMB), "declares entities, expected plain XML"),
    "no name": (damage_voc(voc_file("a.png", BOXES).replace("<name>dog</name>", "")), "object 1 has no name"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_annotation_is_one_clear_line_and_the_others_are_read(name, tmp_path):
    write, text = DAMAGES[name]
    write(tmp_path)
    found = reading.read_boxes(str(tmp_path))
    assert len(found.problems) == 1 and "\n" not in found.problems[0], found.problems
    assert "expected" in found.problems[0] and re.search(text, found.problems[0]), found.problems
    assert any(sample.path.endswith("b.png") for sample in found.samples)


@pytest.mark.parametrize("write, text", [
    (damage_coco(lambda content: content.pop("images")), "cannot be read .it has no list of images.*export it again"),
    (damage_coco(lambda content: content["images"].append(dict(content["images"][0]))), "the id 7 of a image is twice"),
    (lambda root: (yolo_as_darknet(root), (root / "x.xml").write_text(voc_file("a.png", BOXES))),
     "several formats, expected one: pass --box_format=yolo or voc"),
    (lambda root: photo(root / "a.png"), "found 1 photo and no boxes, expected YOLO's text files, COCO's JSON or"),
])
def test_a_set_that_cannot_be_read_at_all_is_one_line(write, text, tmp_path):
    write(tmp_path)
    with pytest.raises(ValueError, match=text) as error:
        reading.read_boxes(str(tmp_path))
    assert "\n" not in str(error.value)


def test_boxes_that_stick_out_a_little_are_cut():
    assert checked([-1, 0, 81, 60.5], (WIDTH, HEIGHT)) == [0, 0, 80, 60]
    with pytest.raises(Damaged, match="outside of the photo"):
        checked([-9, 0, 20, 20], (WIDTH, HEIGHT))


def many(root, count=12, parts=()):
    for number in range(count):
        folder = root / parts[number % len(parts)] if parts else root
        photo(folder / "images" / f"{number}.png", seed=number)
        (folder / "labels").mkdir(exist_ok=True)
        (folder / "labels" / f"{number}.txt").write_text(f"0 {shares(BOXES[0])}\n")


def contents_of(root, parts):
    return {part: {(root / sample.path).read_bytes() for sample in samples} for part, samples in parts.samples.items()}


def test_no_photo_stands_in_two_parts_by_chance_or_by_folders(tmp_path, capsys):
    """The same file under other names, and versions of a photo as Roboflow names them, stay together."""
    many(tmp_path / "one")
    for number, name in ((3, "copy"), (3, "again")):
        other = tmp_path / "one" / "images" / f"{name}.png"
        other.write_bytes((tmp_path / "one" / "images" / f"{number}.png").read_bytes())
        (tmp_path / "one" / "labels" / f"{name}.txt").write_text(f"0 {shares(BOXES[0])}\n")
    for version in ("0123456789abcdef", "fedcba9876543210"):
        photo(tmp_path / "one" / "images" / f"x_png.rf.{version}.png", seed=int(version[0], 16) + 50)
        (tmp_path / "one" / "labels" / f"x_png.rf.{version}.txt").write_text("")
    for seed in range(4):
        parts = splitting.split(reading.read_boxes(str(tmp_path / "one")), 0.3, 0.3, seed)
        held = contents_of(tmp_path / "one", parts)
        assert not held["train"] & held["test"] and not held["train"] & held["validation"]
        assert not held["validation"] & held["test"]
        homes = {part for part, samples in parts.samples.items() for each in samples if ".rf." in each.path}
        assert len(homes) == 1 and sum(map(len, parts.samples.values())) == 16
    many(tmp_path / "two", parts=("train", "valid", "test"))
    twin = tmp_path / "two" / "test" / "images" / "twin.png"
    twin.write_bytes((tmp_path / "two" / "train" / "images" / "0.png").read_bytes())
    (tmp_path / "two" / "test" / "labels" / "twin.txt").write_text("")
    parts = splitting.split(reading.read_boxes(str(tmp_path / "two")), 0.1, 0.1, 0)
    held = contents_of(tmp_path / "two", parts)
    assert [len(samples) for samples in parts.samples.values()] == [4, 4, 4] and not held["train"] & held["test"]
    assert "left out 1 photo of which another part holds a version" in capsys.readouterr().out


def test_classes_can_be_chosen_and_batches_repeat(tmp_path):
    yolo_as_ultralytics(tmp_path)
    found = splitting.only(reading.read_boxes(str(tmp_path)), ("dog",))
    assert found.names == ["dog"] and found.samples[0].labels.tolist() == [0]
    with pytest.raises(ValueError, match="has no class cow, expected some of cat, dog"):
        splitting.only(found._replace(names=["cat", "dog"]), ("cow",))
    settings = {"batch_size": 4, "steps": 3, "seed": 5, "workers": 0}
    one, two = (of_photos(found.root, found.samples, 64, (2, 4, 8), 1.0, True, **settings) for _ in range(2))
    (inputs, targets), (others, again) = one[2], two[2]
    assert np.array_equal(inputs["image"], others["image"]) and np.array_equal(targets, again)
    assert inputs["image"].shape == (4, 64, 64, 3) and targets.shape == (4, 32**2 + 16**2 + 8**2, 6)
    assert (targets[..., 5] == 0).any() and not np.array_equal(inputs["image"], one[1][0]["image"])
    assert os.path.isfile(os.path.join(found.root, found.samples[0].path))


@pytest.mark.parametrize("write", [yolo_as_ultralytics, yolo_as_darknet])
def test_what_is_read_beside_photos_is_not_said_to_be_left_out(write, tmp_path, capsys):
    write(tmp_path)
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.4 notes")
    reading.read_boxes(str(tmp_path))
    said = capsys.readouterr()
    assert "notes.pdf" in said.out + said.err and ".txt" not in said.out + said.err
