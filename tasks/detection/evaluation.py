"""How well does a detector find objects: AP by COCO's definitions, TinyPerson's bins, curves, and its mistakes."""

import os
from collections.abc import Sequence

import numpy as np

from nets.models import detector
from nets.models.detector import Finder
from tasks.detection import figures
from tasks.detection.boxes.geometry import Annotated
from tasks.detection.data import splitting
from tasks.detection.data.samples import Sample
from tasks.detection.measuring import examples, precision, report, templates
from tasks.detection.measuring.precision import Answer, Truth
from tasks.detection.scenes import things
from tasks.models import load_model
from utils.data import photos
from utils.run import folder as runs
from utils.run.console import progress_bar
from utils.saying import counted, left_out, some

SIDE = 256  # pixels of a drawn scene
LEARNT = 300  # scenes or photos of which the mean templates are made
SHOWN = 24  # of the objects that were missed, and of the boxes that are wrong
TABLE, RESULT = "classes.csv", "detection.json"


def evaluate(options, path: str) -> dict:
    """Measures the model in the .keras file on the photos of --dataset_path, on those that its run held out, or on
    drawn scenes."""
    finder = detector.finder(load_model(path, detector.KIND))
    folder = runs.report_folder(options.out, path)
    what, truths, read = to_measure(options, path, finder.names)
    print(f"model {path}: {counted(len(truths), 'picture')}, {what}")
    bar = progress_bar("picture")
    answers = report.asked(finder, map(read, range(len(truths))), lambda done: bar(done, len(truths)))
    result = {"data": what, **report.measured(truths, answers, len(finder.names))}
    beside = {}
    if options.templates:
        result["templates"] = beside["templates"] = by_templates(options, path, truths, read, finder)
        count = len(truths[: options.templates])
        result["on_those"] = beside["model there"] = report.measured(truths[:count], answers[:count], len(finder.names))
    print("\n".join(report.table(result, beside)))
    print(f"best F1 {result['f1']:.3f} from the score {result['threshold']:.3f} on")
    if options.like_scenes:
        result["like"] = examples.measured(finder, options.like_scenes, SIDE, grounds(options, path, "test"),
                                           options.seed, progress=progress_bar("scene"))
        print(like_in_words(result["like"]))
    runs.write_table(folder, TABLE, report.classes_table(truths, answers, finder.names))
    found = precision.curves(truths, answers, len(finder.names), {"all": precision.RANGES["all"]}, np.array([0.5]))
    figures.curves(found.precision[0, :, :, 0], precision.RECALLS, finder.names, folder)
    figures.mistakes_sheet(*mistakes(truths, answers, read, finder.names, result["threshold"]), folder)
    runs.write_json(folder, RESULT, result)
    print(f"tables and figures are in {folder}/")
    return result


def to_measure(options, path: str, names: Sequence[str]):
    """What is measured on, in words; what is to be found in each picture; and a function that reads a picture by its
    number."""
    split = runs.read_split(os.path.dirname(path))
    if options.dataset_path:
        samples, root = known_samples(options, names)
        seen = {os.path.realpath(os.path.join(split.get("root", ""), name)) for part in ("train", "validation")
                for name in split.get(part, [])}
        kept = [each for each in samples if os.path.realpath(os.path.join(root, each.path)) not in seen]
        if len(kept) < len(samples):
            print(f"left out {counted(len(samples) - len(kept), 'photo')} that training saw; {len(kept)} remain")
        what = f"photos of {root}"
    elif names != list(things.NAMES) and split.get("root"):
        root, held = split["root"], set(split.get("test") or split.get("validation") or [])
        found = splitting.read(root, options.box_format, names, options.skip_broken)
        kept = [each for each in found.samples if each.path in held]
        what = "photos that the run held out"
    else:
        scenes = report.drawn("test", options.scenes, SIDE, grounds(options, path, "test"), options.seed)
        return "drawn scenes", [report.truth_of(each) for each in scenes], lambda number: scenes[number].picture
    if not kept:
        raise ValueError("found no photos with boxes that the model was not trained on; pass --dataset_path")
    return what, [each.truth() for each in kept], lambda number: kept[number].read(root).picture


def known_samples(options, names: Sequence[str]) -> tuple[list[Sample], str]:
    """The samples of --dataset_path with the boxes of the classes that the model knows, numbered as it does; and the
    folder that their paths start from."""
    found = splitting.read(options.dataset_path, options.box_format, (), options.skip_broken)
    unknown = [name for name in found.names if name not in names]
    if len(unknown) == len(found.names):
        raise ValueError(f"--dataset_path={options.dataset_path}: its classes are {some(found.names)}, the model knows "
                         f"{some(names)}, expected one of them at least: pass another --model, or rename the classes")
    left_out(counted(len(unknown), "class", "classes"), unknown)
    both = [name for name in names if name in found.names]
    numbers = np.array([list(names).index(name) for name in both], "int32")
    kept = splitting.only(found, tuple(both)).samples
    return [each._replace(labels=numbers[each.labels]) for each in kept], found.root


def grounds(options, path: str, part: str) -> list[str]:
    """The photos to draw scenes on: those of a part of --backgrounds, or of the split of the run; [] for textures."""
    if options.backgrounds:
        return photos.find_photos(options.backgrounds, 64, 0.1, 0.1, 0, options.skip_broken).full(part)
    split = runs.read_split(os.path.dirname(path))
    root = split.get("root", "")
    files = [os.path.join(root, name) for name in split.get(part, []) if root]
    there = [file for file in files if os.path.isfile(file)]
    if files and not there:
        print(f"{root}, whose photos the model drew scenes on, is not here: scenes are drawn on textures, so figures "
              "differ from those of its training; pass --backgrounds, a folder of photos")
    return there


def by_templates(options, path: str, truths: Sequence[Truth], read, finder: Finder) -> dict:
    """The figures of template matching on the first pictures; the templates come from what the model may learn from."""
    split = runs.read_split(os.path.dirname(path))
    if finder.names == list(things.NAMES):
        learnt: list[Annotated] = report.drawn("train", LEARNT, SIDE, grounds(options, path, "train"), options.seed)
    else:
        root, train = split.get("root", ""), set(split.get("train", []))
        found = splitting.read(root, options.box_format, finder.names, options.skip_broken)
        learnt = [each.read(root) for each in found.samples[:LEARNT] if each.path in train]
    made = templates.mean_templates(learnt[:LEARNT], len(finder.names))
    bar, answers, count = progress_bar("picture"), [], min(options.templates, len(truths))
    for number in range(count):
        answers.append(templates.matches(read(number), made))
        bar(number + 1, count)
    return report.measured(truths[:count], answers, len(finder.names))


def like_in_words(found: dict) -> str:
    """What was measured of --like, in a line."""
    return (f"--like with one example of a sign never seen in training, {found['scenes']} scenes, {found['objects']} "
            f"signs: AP50 {report.number(found['ap50'])}; from the similarity {found['threshold']:.3f} on recall "
            f"{found['recall']:.3f}, precision {found['precision']:.3f}; template matching AP50 "
            f"{report.number(found['template_ap50'])}, at its best F1 recall {found['template_recall']:.3f}, precision "
            f"{found['template_precision']:.3f}")


def mistakes(truths: Sequence[Truth], answers: Sequence[Answer], read, names: Sequence[str], threshold: float):
    """Crops of objects that no box from the threshold on hits at an IoU of .5, and of boxes that hit none, the surest
    first; at most `SHOWN` each."""
    missed, wrong = [], []
    for number, (truth, answer) in enumerate(zip(truths, answers)):
        sure = Answer(*(each[answer.scores >= threshold] for each in answer))
        for label, name in enumerate(names):
            part = precision.matched(truth, sure, label, precision.RANGES["all"], np.array([0.5]))
            boxes = truth.boxes[truth.labels == label]
            missed += [(number, boxes[row], name) for row in np.flatnonzero(part.counted & ~part.found[0])]
            own = sure.boxes[sure.labels == label][np.argsort(-sure.scores[sure.labels == label], kind="stable")]
            wrong += [(part.scores[row], number, own[row], f"{name} {part.scores[row]:.2f}")
                      for row in np.flatnonzero(~part.right[0] & ~part.ignored[0])]
    wrong = [each[1:] for each in sorted(wrong, key=lambda each: -each[0])]
    few = [missed[row] for row in np.linspace(0, len(missed) - 1, min(len(missed), SHOWN)).astype(int)]
    return ([(figures.crop_of(read(number), box), text) for number, box, text in part]
            for part in (few, wrong[:SHOWN]))
