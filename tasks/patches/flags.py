"""The flags of patches: do these patches, or these photos, show the same place?"""

from absl import flags

from nets.losses import PATCH_LOSSES
from utils.flags import defaults, group

DESCRIPTORS = ("model", "sift")
DESCRIPTOR = "What describes a patch. model: the network of --model; sift: SIFT, which needs no model"
GEOMETRY = {"homography": "a plane seen from anywhere", "affine": "turned, stretched and sheared, without perspective",
            "similarity": "turned and scaled"}
MOST_KEYPOINTS, RATIO, TOLERANCE = 4000, 0.8, 3.0  # defaults of how photos are matched
JITTERS = ("mixed", "none", "easy", "hard", "tough")


def for_training() -> None:
    """Flags that train.py hands to the task patches."""
    defaults("Patches of photos: defaults", "patches",
             dataset_path="a folder of photos, or that of HPatches or PhotoTour", test_share="0.1",
             backbone="patches; hardnet for weights of PyTorch; also l2net and the other hardnets",
             input_shape="64,64,1 for hardnet8_64, 48,48,1 for hardnet8_48, otherwise 32,32,1; 1 channel or 3",
             weights="auto: random ones; the .pth file of HardNet or SOSNet", steps_per_epoch="100",
             batch_size="512 patches where none is passed")
    with group("Learning from patches", "patches"):
        flags.DEFINE_enum("patch_loss", "hardnet", list(PATCH_LOSSES), "How pairs of patches are compared. "
                          + "; ".join(f"{name}: {row.text}" for name, row in PATCH_LOSSES.items()))
        flags.DEFINE_integer("sources", 8, "Photos in a batch. Few photos give harder wrong pairs, because places of "
                                           "one photo look alike", 1)
        flags.DEFINE_enum("jitter", "mixed", list(JITTERS),
                          "How inexactly a place is found again. easy, hard and tough are as in HPatches; mixed: "
                          "each pair one of the three")
        flags.DEFINE_float("light", 1.0,
                           "How strongly the light changes between the two patches of a pair. 0: not at all", 0)
        flags.DEFINE_boolean("turned_patches", True, "Transpose and mirror both patches of a pair alike")
        flags.DEFINE_float("data_share", 1.0, "Share of the training photos that is used, to see what more data brings",
                           0.001, 1)
        flags.DEFINE_integer("pca", None, "Keep so many numbers of a descriptor, the principal components of training "
                                          "patches; 0: all. Default: 128 for hardnet8_512, all for the others", 0)


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""


def needs_model(options) -> bool:
    """Whether the patches are described by a model."""
    return options.descriptor != "sift"


def for_answers() -> None:
    """Flags that predict.py hands to patches."""
    with group("Do photos show the same place", "patches"):
        flags.DEFINE_enum("descriptor", "model", list(DESCRIPTORS), DESCRIPTOR)
        flags.DEFINE_enum("geometry", "homography", list(GEOMETRY), "What right matches agree on. "
                          + "; ".join(f"{name}: {text}" for name, text in GEOMETRY.items()))
        flags.DEFINE_boolean("homography", False, "Print the matrix alone, three lines of three numbers, which maps "
                                                  "pixels of the first photo to pixels of the other; or the word none")
        flags.DEFINE_list("keypoints", [], "Key points from elsewhere: a CSV with the columns x, y, size and perhaps "
                                           "angle, response, file, for all photos, or one CSV for each photo")
        define_matching()


def define_matching() -> None:
    """Flags of how photos are matched."""
    flags.DEFINE_integer("most_keypoints", MOST_KEYPOINTS,
                         "Key points of a photo that are used, the strongest; at most half of them of the finest "
                         "scale, and as many of each square that a long photo holds. 0: all", 0)
    flags.DEFINE_float("ratio", RATIO,
                       "The nearest descriptor must be nearer than this share of the distance to the second nearest. "
                       "1: always", 0.01, 1)
    flags.DEFINE_float("tolerance", TOLERANCE,
                       "Pixels that a match may lie beside its place and still agree; less in small photos", 0.1)


def for_evaluation() -> None:
    """Flags that evaluate.py hands to patches."""
    with group("Do patches show the same place", "patches"):
        flags.DEFINE_enum("descriptor", "model", list(DESCRIPTORS), DESCRIPTOR)
        flags.DEFINE_enum("jitter", "hard", [name for name in JITTERS if name != "mixed"],
                          "How inexactly a place is found again, where the patches are cut from photos")
        flags.DEFINE_integer("points", 400, "Points of a pair of photos at most, where the patches are cut from photos",
                             2)
        flags.DEFINE_float("least_patch", 0, "For pairs of photos: pixels a side that a patch shows of the first "
                                             "photo, at least. Of small patches, the error of a homography moves the "
                                             "second one far. 0: all patches", 0)
        flags.DEFINE_boolean("opencv", False,
                             "Measure OpenCV's SIFT and its RANSAC too: pip install opencv-python-headless")
        flags.DEFINE_boolean("photos_too", True,
                             "For pairs of photos: find their homographies too, as predict.py does, and measure them")
        define_matching()
