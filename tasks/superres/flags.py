"""The flags of super-resolution: make a photo larger."""

from absl import flags

from nets.losses import PICTURE_LOSSES
from nets.towers import SCALES
from utils.flags import defaults, group
from utils.saying import either

SMALL = ("Folder of the small photos of those in --dataset_path, by the same names or as 0001x2.png for 0001.png. "
         "Default: they are made, by bicubic interpolation as MATLAB's imresize does it")
SAMPLING = {"errors": 0.5, "even": 0.0}  # the power of a crop's squared error that its chance goes with
FORMATS = ("png", "jpeg", "webp", "tiff")  # that photos are written in


def for_training() -> None:
    """Flags that train.py hands to the task superres."""
    defaults("Larger photos: defaults", "superres",
             dataset_path="a folder of sharp photos, which become small while training", test_share="0.1",
             backbone="msffrn_compact; msffrn, the article's network, needs a GPU",
             input_shape="40,40,3 for msffrn_compact, 48,48,3 for msffrn: crops of small photos to learn from",
             weights="auto: random ones; a .pt file of MSFFRN's authors", loss="l1",
             optimizer="adam, without --weight_decay where none is passed",
             learning_rate="0.0012 for msffrn_compact, 0.0001 for msffrn",
             batch_size="8 crops where none is passed", steps_per_epoch="400")
    with group("Larger photos", "superres"):
        flags.DEFINE_integer("scale", 2, "How many times larger photos become: 2, 3 or 4", min(SCALES), max(SCALES))
        flags.DEFINE_integer("paths", None, "Interleaved paths of a block, the deepest of 2^(paths - 1) convolutions. "
                                            "Default: 2 for msffrn_compact, 4 for msffrn", 1, 5)
        flags.DEFINE_integer("blocks", None, "Blocks in a row. Default: 4 for msffrn_compact, 10 for msffrn", 1)
        flags.DEFINE_integer("width", None, "Channels of each convolution. Default: 40 for msffrn_compact, 64 for "
                                            "msffrn", 1)
        flags.DEFINE_string("lr_path", "", SMALL)
        flags.DEFINE_enum("sampling", "errors", list(SAMPLING),
                          "Where crops are cut. errors: rather where bicubic interpolation errs; even: wherever they "
                          "fit")
    with group("How the model is kept", "superres", "detect"):
        flags.DEFINE_boolean("half", False, "Store the kept model in half precision: half as many bytes, measured as "
                                            "it is stored")


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""
    if options.loss not in ("auto", *PICTURE_LOSSES):
        raise ValueError(f"--loss={options.loss} is not for --task=superres: expected {either(list(PICTURE_LOSSES))}")


def needs_model(options) -> bool:
    """Whether what evaluate.py measures comes from a model."""
    return not options.scale


def for_answers() -> None:
    """Flags that predict.py hands to super-resolution."""
    with group("Make photos larger", "superres"):
        flags.DEFINE_string("out", "larger", "Folder to write the larger photos to, each under its name and the scale, "
                                             "such as photo_x2.png")
        flags.DEFINE_enum("write", "png", list(FORMATS),
                          "Format of the larger photos. 16 bits a channel are kept in png alone")
        flags.DEFINE_boolean("overwrite", False, "Replace photos that are there already")
        define_ensemble()


def for_evaluation() -> None:
    """Flags that evaluate.py hands to super-resolution."""
    with group("How near do larger photos come to their originals", "superres"):
        flags.DEFINE_integer("scale", None, "Measure bicubic interpolation and Lanczos alone, so many times, and no "
                                            "model", min(SCALES), max(SCALES))
        flags.DEFINE_string("lr_path", "", SMALL)
        define_ensemble()
    with group("How good do the pictures look that were made", "superres", "perceptual"):
        flags.DEFINE_boolean("quality_too", True, "Score what was made by the ready model of quality too, "
                                                  "and larger photos by the perceptual distance to their originals")


def define_ensemble() -> None:
    """The flag of eight positions."""
    flags.DEFINE_boolean("ensemble", False, "Enlarge each photo mirrored and turned as well, and take the mean of the "
                                            "eight: a little nearer to the original, in eight times the time")
