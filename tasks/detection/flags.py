"""The flags of detection: what lies where in a photo."""

from absl import flags

from nets.detectors import DETECTORS
from utils.flags import defaults, group, passed

FORMATS = ("yolo", "coco", "voc")
FORMAT = "Format of the boxes beside the photos of --dataset_path. auto: what lies there tells"
BACKGROUNDS = ("Folder of photos on which scenes are drawn, where --dataset_path names no photos with boxes. Default: "
               "drawn textures")


def for_training() -> None:
    """Flags that train.py hands to the task detect."""
    defaults("Small objects: defaults", "detect",
             dataset_path="a folder of photos with boxes in the format of YOLO, COCO or Pascal VOC. Where it is left "
                          "out, scenes are drawn while training",
             test_share="0.1", backbone="sodnet_compact; sodnet, wider, needs a GPU",
             input_shape="160,160,3 for sodnet_compact, 384,384,3 for sodnet: windows to learn from, multiples of 16",
             weights="auto: random ones; a run of this task, whose classes may differ",
             learning_rate="0.003 for sodnet_compact, 0.0005 for sodnet", batch_size="16 where none is passed",
             steps_per_epoch="200")
    with group("Small objects", "detect"):
        flags.DEFINE_list("classes", [], "Classes to learn, by their names; the boxes of others are left out. Default: "
                                         "all that the boxes name")
        define_data()
        flags.DEFINE_float("zoom", 0, "How many times larger photos become for the network, less than 1 for smaller. "
                                      "0: 1, or less where most boxes are larger than 24 pixels", 0, 8)
        flags.DEFINE_boolean("flip", True, "Mirror half of the windows of photos left to right; drawn scenes never are")
        flags.DEFINE_boolean("aspconv", True, "ASPConv behind each convolution of the backbone: groups with growing "
                                              "fields")
        flags.DEFINE_boolean("fmf", True, "Make the finest map of three scales, by FMF; otherwise as a feature pyramid")
        flags.DEFINE_boolean("p1", True, "Look for the smallest objects on a map of half the photo's size; otherwise "
                                         "on one of a quarter, without FMF")


def define_data() -> None:
    """The flags of what is learnt from or measured on."""
    flags.DEFINE_enum("box_format", "auto", ["auto", *FORMATS], FORMAT)
    flags.DEFINE_string("backgrounds", "", BACKGROUNDS)


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""
    if options.backbone not in ("auto", *DETECTORS):
        raise ValueError(f"--backbone={options.backbone} is not for --task=detect: expected {' or '.join(DETECTORS)}")
    if not options.p1 and options.fmf and passed("fmf"):
        raise ValueError("--fmf makes the map that --nop1 leaves out: pass one of them")
    if len(set(options.classes)) < len(options.classes):
        raise ValueError(f"--classes={','.join(options.classes)}: a class is named twice")


def needs_model(options) -> bool:
    """Whether what evaluate.py measures comes from a model."""
    return True


def for_answers() -> None:
    """Flags that predict.py hands to detection."""
    with group("What lies where in a photo", "detection"):
        flags.DEFINE_float("score_threshold", None, "Show boxes from this score on, 0..1. Default: where the model's "
                                                    "F1 was best", 0, 1)
        flags.DEFINE_multi_string("like", [], "Keep the boxes that show the same as this picture, and give their "
                                              "similarity in place of a score. Repeat it, or name a folder, for "
                                              "several examples")
        flags.DEFINE_string("like_model", "", "The model of similarity for --like. Default: the one that knows such "
                                              "pictures as the first example")
        flags.DEFINE_float("like_threshold", None, "Similarity from which on a box shows the same. Default: that of "
                                                   "the model", 0, 1)
        flags.DEFINE_string("coco", "", "Write the boxes to this file as well, as COCO's results, in JSON")
        flags.DEFINE_string("yolo", "", "Write the boxes of each photo into this folder as well, as YOLO's text files")


def for_evaluation() -> None:
    """Flags that evaluate.py hands to detection."""
    with group("How well are objects found", "detection"):
        define_data()
        flags.DEFINE_integer("scenes", 100, "Scenes to draw and measure on, where --dataset_path names no photos with "
                                            "boxes and the run held none out", 1)
        flags.DEFINE_integer("templates", 0, "Measure template matching beside the model, on so many of the scenes or "
                                             "photos", 0)
        flags.DEFINE_integer("like_scenes", 0, "Draw so many scenes with a sign that training never saw, and measure "
                                               "how well --like finds it by one example", 0)
