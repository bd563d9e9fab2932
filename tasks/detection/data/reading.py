"""Photos with boxes below a folder: which format the boxes have, their reading, and what is wrong with them."""

import os
from concurrent.futures import ThreadPoolExecutor

from tasks.detection.data.formats import coco, voc, yolo
from tasks.detection.data.samples import Annotations, BoxSet, Damaged, Sample, checked, sample
from utils.data.files import walk
from utils.data.images import read_photo
from utils.run.console import progress_bar
from utils.saying import counted, either, shown

FORMATS = {"yolo": ("YOLO's text files", yolo.read), "coco": ("COCO's JSON", coco.read),
           "voc": ("Pascal VOC's XML", voc.read)}

ENDINGS = (".txt", ".json", ".xml", ".yaml", ".yml", ".names", ".data")  # of what annotation tools write beside photos


def read_boxes(root: str, form: str = "auto") -> BoxSet:
    """The photos with boxes below a folder, or of one JSON file and the photos beside it.

    A photo whose boxes or whose file are damaged is left out, and named among the problems.

    Args:
        form: of `FORMATS`, or "auto": what lies there tells.

    Raises:
        ValueError: no folder, no photos, no boxes, boxes in several formats, or a damaged list of a whole set.
    """
    alone = root if os.path.isfile(root) and root.endswith(".json") else ""
    root = os.path.dirname(alone) or "." if alone else root
    images, others = walk(root, used=ENDINGS)
    if alone:
        others, form = [os.path.basename(alone)], "coco"
    form = recognised(root, images, others) if form == "auto" else form
    text, read = FORMATS[form]
    found = read(root, images, others)
    samples, problems = taken(root, found)
    boxes = sum(len(each.labels) for each in samples)
    empty = sum(not len(each.labels) for each in samples)
    how = (f"found {text} in {shown(root)}: {counted(len(samples), 'photo')} with {counted(boxes, 'box', 'boxes')} of "
           f"{counted(len(found.names), 'class', 'classes')}, {empty} without any; {found.how}")
    return BoxSet(root, form, found.names, samples, [*found.problems, *problems], how, found.parts, found.told_by)


def recognised(root: str, images: list[str], others: list[str]) -> str:
    """The format of the files beside photos; ValueError where there is none, or where there are several."""
    texts = {path for path in others if path.endswith(".txt")}
    there = {"yolo": any(yolo.text_of(photo, texts) for photo in images),
             "coco": any(path.endswith(".json") and coco.is_coco(os.path.join(root, path)) for path in others),
             "voc": any(path.endswith(".xml") and voc.is_voc(os.path.join(root, path)) for path in others)}
    forms = [form for form, is_there in there.items() if is_there]
    if not forms:
        raise ValueError(f"{root}: found {counted(len(images), 'photo')} and no boxes, expected "
                         f"{either([text for text, _ in FORMATS.values()])} beside them; without --dataset_path scenes "
                         "are drawn, on the photos of --backgrounds")
    if len(forms) > 1:
        raise ValueError(f"{root}: holds boxes in several formats, expected one: pass --box_format="
                         f"{' or '.join(forms)}")
    return forms[0]


def taken(root: str, found: Annotations) -> tuple[list[Sample], list[str]]:
    """The samples of annotations whose photo and boxes are sound, and what is wrong with the others, a line each."""
    def take(photo: str) -> Sample | str:
        try:
            height, width = read_photo(os.path.join(root, photo)).shape[:2]
            return whole(photo, found, (width, height))
        except Damaged as error:
            return f"{photo}: {error}"
        except ValueError as error:
            return str(error)

    bar, samples, problems = progress_bar("photo"), [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, each in enumerate(pool.map(take, sorted(found.photos)), start=1):
            (problems if isinstance(each, str) else samples).append(each)
            bar(done, len(found.photos))
    return samples, problems


def whole(photo: str, found: Annotations, size: tuple[int, int]) -> Sample:
    """The sample of a photo of (width, height); Damaged where a box is."""
    things = found.photos[photo](size)
    boxes = [checked(thing.box, size) for thing in things]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) if thing.area is None else thing.area
             for thing, box in zip(things, boxes)]
    return sample(photo, boxes, [thing.label for thing in things], [thing.crowd for thing in things], areas)
