"""The flags of similarity: which small changes they mean, and which losses are for them."""

from types import SimpleNamespace

import pytest

from nets.losses import LOSSES
from tasks.similarity import flags as similarity


def test_only_characters_have_mirrored_alphabets():
    options = SimpleNamespace(augment="auto", train_own_data=False, mirrored=True)
    assert similarity.augmentation(options) == "characters"
    options.train_own_data = True
    with pytest.raises(ValueError, match="pass --augment=characters too, or --nomirrored"):
        similarity.check_mirrored(options)


def test_a_loss_of_another_room_is_refused_in_one_line():
    options = SimpleNamespace(task="triplet", loss="l1", freeze=False, splits=1)
    last = list(LOSSES)[-1]
    with pytest.raises(ValueError, match=f"^--loss=l1 is not for --task=triplet: expected .*contrastive.* or {last}$"):
        similarity.check(options)


def test_a_backbone_is_frozen_where_its_weights_are_found_by_themselves(monkeypatch):
    """Where they are not on this machine, `settle` has made of auto random ones."""
    monkeypatch.setattr(similarity, "passed", lambda name: False)
    for backbone, weights in (("photos", "auto"), ("efficientnet_lite0", "auto"), ("efficientnet_lite0", "imagenet")):
        similarity.check_frozen(SimpleNamespace(freeze=True, augment="auto", backbone=backbone, weights=weights))
    for backbone, weights in (("compact", "auto"), ("efficientnet_lite0", "")):
        with pytest.raises(ValueError, match="random weights know nothing"):
            similarity.check_frozen(SimpleNamespace(freeze=True, augment="auto", backbone=backbone, weights=weights))
