"""The flags of quality: which photo looks better."""

import os

from absl import flags

from utils.flags import are_numbers, defaults, group

DISTORTIONS = "live, tid2013, all, or names as `python -m utils.distortions --help` lists them"
LEVELS = "Levels of your own, mild ones first, such as jpeg=40:20:10:5"
CROPS = ("Score each photo as the mean over this many random crops. 0: the whole photo at once, or 30 crops where it "
         "has more than 4 megapixels or the network takes crops only")
DIRECTION = ("Whether higher human scores are better. A CSV or a list does not tell, so pass --higher_is_better or "
             "--nohigher_is_better")
ROOT = "Folder that the paths of {} start from, and in which they must lie. Default: the list's own folder"
COLUMN = ("Column of {} in a CSV, by its name or its place, 1 for the first. Default: the one with a usual name, such "
          "as {}")


def for_training() -> None:
    """Flags that train.py hands to the tasks rank and finetune."""
    shared = {"backbone": "compact; also alexnet, shallow, vgg16 and the networks of keras.applications",
              "input_shape": "crops of 128,128,3 for compact, otherwise of 224 or 227 pixels a side",
              "weights": "auto: ImageNet's for efficientnet_lite0 where its package is installed, otherwise random "
                         "ones; imagenet; a *_notop.h5 file of a network of keras.applications"}
    defaults("Learning from distorted photos: defaults", "rank", dataset_path="a folder of good photos",
             test_share="0.1", steps_per_epoch="100", **shared)
    defaults("Learning from human scores: defaults", "finetune",
             dataset_path="a CSV or a list of lines `path score`, or the folder of TID2013 or LIVE", test_share="0.1",
             steps_per_epoch="as many as show each photo once, but at least 40", **shared)
    with group("Learning from distorted photos", "rank"):
        flags.DEFINE_list("distortions", ["live"], "Which distortions: " + DISTORTIONS)
        flags.DEFINE_list("levels", [], LEVELS)
        flags.DEFINE_float("hinge_margin", 1.0, "How much higher the better of two levels must score", 1e-6)
        flags.DEFINE_enum("pairs", "all", ["all", "random", "hard"],
                          "Which pairs of levels are compared. all: every pair of the batch. random and hard exist for "
                          "comparison: one random partner for each image, or the worst ordered half of twice as many")
        flags.DEFINE_boolean("across_photos", False,
                             "Compare levels of different photos too, as the article's code does")
        flags.DEFINE_integer("photos_per_batch", 4, "Photos in a batch, each at all its levels", 1)
        flags.DEFINE_string("cache_distorted", "",
                            "A folder that keeps distorted photos, at most 0.8 MB for each level. Each photo is then "
                            "distorted once, and every batch shows other photos. Default: distort again and use the "
                            "result for four batches")
    with group("Learning from human scores", "finetune"):
        flags.DEFINE_boolean("higher_is_better", None, DIRECTION)
        flags.DEFINE_list("score_range", [],
                          "Lowest and highest score that people could give, such as 0,9. Default: those of the list")
        define_list_flags("the list")
    flags.register_validator("score_range", is_range, "expected lowest,highest such as 0,9, within 1e9 either way")


def is_range(span: list[str]) -> bool:
    """Whether the list is empty, or holds a lower number and a higher one."""
    return not span or len(span) == 2 and are_numbers(span) and -1e9 <= float(span[0]) < float(span[1]) <= 1e9


def define_list_flags(called: str) -> None:
    """Flags that say how a list of human scores is read."""
    flags.DEFINE_string("image_root", "", ROOT.format(called))
    flags.DEFINE_string("image_column", "", COLUMN.format("images", "image, file or img_name"))
    flags.DEFINE_string("score_column", "", COLUMN.format("scores", "mos, dmos or score; of mos and dmos the one that "
                                                                    "--higher_is_better means"))


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""
    cache = os.path.expanduser(options.cache_distorted)
    if os.path.exists(cache) and not os.path.isdir(cache):
        raise ValueError(f"--cache_distorted={cache}: a file; expected a folder, which is made where there is none")


def needs_model(options) -> bool:
    """Whether what the flags ask of evaluate.py is asked of one model, which --model names."""
    return not options.compare


def for_answers() -> None:
    """Flags that predict.py hands to quality."""
    with group("How good do photos look", "quality"):
        flags.DEFINE_boolean("quality", False, "Score how good the photos look, or those of the folders: short for "
                                               "--task=quality")
        flags.DEFINE_integer("crops", 0, CROPS, 0)


def for_evaluation() -> None:
    """Flags that evaluate.py and eval_rank.py hand to quality."""
    with group("Which looks better: levels of distortion", "quality"):
        flags.DEFINE_list("distortions", ["live"], "Which distortions: " + DISTORTIONS)
        flags.DEFINE_list("levels", [], LEVELS)
        flags.DEFINE_integer("photos", 0, "Take at most this many photos. 0: all", 0)
        flags.DEFINE_integer("crops", 0, CROPS, 0)
        flags.DEFINE_list("compare", [], "Run folders of train.py --task=rank: draws their quality against the time "
                                         "that training took")
    with group("Which looks better: agreement with people", "quality"):
        flags.DEFINE_string("scores", "",
                            "Human scores: a CSV, a list of lines `path score`, or the folder of TID2013 or LIVE")
        flags.DEFINE_integer("splits", 10,
                             "Number of random splits; each tests on a fifth of the reference photos. Their mean and "
                             "spread are printed", 1)
    with group("How a list of human scores is read", "quality", "perceptual"):
        flags.DEFINE_boolean("higher_is_better", None, DIRECTION)
        define_list_flags("--scores or --pair_scores")
