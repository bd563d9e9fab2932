"""Heads: features of two images -> logit of "the same", the last step before the sigmoid. One row for each.

A head takes two arrays of features that broadcast against each other, so the same call compares
two images, (1, F) with (1, F), or a batch with itself, (B, 1, F) with (1, B, F). Its method `rescale(slope,
offset)` makes slope * logit + offset the logit, which is how `nets.models.siamese.calibrate` makes a probability of
any.

Heads whose row says `locations` compare pictures location by location: the tower ends in maps of (h, w, c), and its
features (N, F) are these maps in a row, F = h * w * c. Such a head has `shape`, which is (h, w, c), and
`attention(left, right)`: features (..., F) and (..., F) that broadcast -> (..., h * w, h * w), how much location i of
the left picture corresponds to location j of the right one, never below 0; location i is row i // w, column i % w of
the maps. `attention(right, left)` is the same with its last two axes exchanged. See
`nets.heads.locations.LocationsHead`.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from nets import named

if TYPE_CHECKING:
    import keras


class Head(NamedTuple):
    """A head: its layer, by "file.Class", the arguments of that, what it does, for --help, and whether it compares
    locations of the tower's maps."""

    layer: str
    arguments: dict[str, Any]
    text: str
    locations: bool = False


HEADS = {
    "distance": Head("distance.DistanceHead", {}, "the Euclidean distance"),
    "difference": Head("difference.DifferenceHead", {},
                       "Dense layers on |f1 - f2|, capped so that an image scores highest with itself"),
    "plain": Head("difference.DifferenceHead", {"plain": True},
                  "the same without the cap, as in the Siamese-tf2 article"),
    "add": Head("fusion.FusionHead", {"fusion": "add"},
                "Dense layers on f1 + f2, relative to those of each image with itself, which is highest"),
    "product": Head("fusion.FusionHead", {"fusion": "product"}, "the same on f1 * f2"),
    "concat": Head("fusion.FusionHead", {"fusion": "concat"},
                   "the same on f1 and f2 one after the other, in both orders"),
    "weighted": Head("difference.DifferenceHead", {"units": 0, "plain": True},
                     "a weighted sum of |f1 - f2|, as in Koch 2015"),
    "attention_before": Head("attention.AttentionBefore", {},
                             "places of both pictures are compared, and what they have in common is further "
                             "channels before a convolution (ABCNN-1)", True),
    "attention_after": Head("attention.AttentionAfter", {}, "the same as weights of the pooling after it (ABCNN-2)",
                            True),
    "attention_pool": Head("attention.AttentionPool", {}, "the same in attention pooling with learnt queries", True),
    "cross_attention": Head("cross.CrossAttentionHead", {},
                            "what each place finds in the other picture, by scaled dot products", True),
}


def make_head(name: str, tower: "keras.Model | None" = None) -> "keras.layers.Layer":
    """The head layer of a name in `HEADS`, called "head" in a model.

    Args:
        tower: made with `maps`, for a head that compares locations.
    """
    row = HEADS[name]
    own = {"shape": tower.get_layer("maps").output.shape[1:]} if row.locations else {}
    return named("nets.heads", row.layer)(**row.arguments, **own, name="head")
