"""The flags of patches: do these patches, or these photos, show the same place?"""

from absl import flags

from nets.losses import PATCH_LOSSES
from utils.flags import group

JITTERS = ("mixed", "none", "easy", "hard", "tough")


def for_training() -> None:
    """Flags that train.py hands to the task patches."""
    with group("Learning from patches", "patches"):
        flags.DEFINE_enum("patch_loss", "hardnet", list(PATCH_LOSSES), "How pairs of patches are compared. "
                          + "; ".join(f"{name}: {row.text}" for name, row in PATCH_LOSSES.items()))
        flags.DEFINE_integer("sources", 8, "Photos in a batch. Few photos give harder wrong pairs, because places of one photo look alike", 1)
        flags.DEFINE_enum("jitter", "mixed", list(JITTERS), "How inexactly a place is found again. easy, hard and tough are as in HPatches; mixed: "
                          "each pair one of the three")
        flags.DEFINE_float("light", 1.0, "How strongly the light changes between the two patches of a pair. 0: not at all", 0)
        flags.DEFINE_boolean("turned_patches", True, "Transpose and mirror both patches of a pair alike")
        flags.DEFINE_float("data_share", 1.0, "Share of the training photos that is used, to see what more data brings", 0.001, 1)
        flags.DEFINE_integer("pca", None, "Keep so many numbers of a descriptor, the principal components of training patches; 0: all. Default: 128 "
                             "for hardnet8_512, all for the others", 0)


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""


def for_answers() -> None:
    """Flags that predict.py hands to patches."""


def for_evaluation() -> None:
    """Flags that evaluate.py hands to patches."""
