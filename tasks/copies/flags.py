"""The flags of copies: is this picture a copy of that photo?"""

from absl import flags

from nets.towers import SIMILARITY, own_shapes
from utils.flags import defaults, group


def for_training() -> None:
    """Flags that train.py hands to the task copies."""
    defaults("Copies of photos: defaults", "copies", dataset_path="a folder of photos", test_share="0.1",
             backbone="photos; also " + ", ".join(name for name in own_shapes(SIMILARITY) if name != "photos")
                      + " and the networks of keras.applications",
             input_shape="80,80,3 for photos, otherwise as for siamese",
             weights="auto: those of the ready model for photographs where the backbone is photos, otherwise random "
                     "ones",
             steps_per_epoch="as many as show each photo once, but at least 40",
             batch_size="counts views of photos",
             workers="each keeps up to 0.4 GB of photos")
    with group("What counts as a copy", "copies"):
        flags.DEFINE_integer("views", 2, "Views of each photo in a batch", 2)
        flags.DEFINE_boolean("mirrored_copies", True, "A mirrored photo is still a copy")
        flags.DEFINE_boolean("turned_copies", True, "A photo turned by 90, 180 or 270 degrees is still a copy")
        flags.DEFINE_boolean("recoloured_copies", True, "A photo in other colours, or without colour, is still a copy")
        flags.DEFINE_boolean("framed_copies", True, "A photo that was written on, framed or shown on a page is still a "
                                                    "copy")


def check(options) -> None:
    """All flags of this task fit each other."""


def needs_model(options) -> bool:
    """Whatever is asked is asked of a model."""
    return True


def for_answers() -> None:
    """Flags that predict.py hands to copies, beside those of similarity."""
    with group("Copies: the proof", "similarity", "copies"):
        flags.DEFINE_boolean("proof", True, "With a model of copies: lay one picture on the other, and call it a copy "
                                            "only where no place differs by more than light, colours, size, "
                                            "compression and crop explain. --noproof: the similarity alone decides, "
                                            "which calls documents of one layout copies")
        flags.DEFINE_boolean("recoloured_copies", None,
                             "A picture in other colours is still a copy; the proof says that it has them, and such a "
                             "copy is never listed as what can go. --norecoloured_copies: it is different, as shirts "
                             "of one cut in black and in blue are. Default: as the model learnt")
    with group("What differs", "copies"):
        flags.DEFINE_string("difference", "", "The golden picture, with which all others that are named, and those in "
                                              "folders, are compared place by place: how much differs, and where. "
                                              "Light, and a shift, a turn and a scale of the camera do not count. No "
                                              "model is asked")
        flags.DEFINE_integer("slack", 1, "With --difference: pixels by which a part may lie beside its place, as parts "
                                         "of two boards or of two prints do. Pictures are looked at with at most 2048 "
                                         "pixels a side. 0: each hair counts", 0, 8)


def for_evaluation() -> None:
    """Flags that evaluate.py hands to copies."""
    with group("How well are copies found", "copies"):
        flags.DEFINE_integer("copied", 100, "How many of the test photos are copied in every way. The other photos "
                                            "serve as wrong answers", 2)
