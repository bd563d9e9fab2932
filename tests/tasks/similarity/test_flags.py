"""The flags of similarity: which small changes they mean."""

from types import SimpleNamespace

import pytest

from tasks.similarity import flags as similarity


def test_only_characters_have_mirrored_alphabets():
    options = SimpleNamespace(augment="auto", train_own_data=False, mirrored=True)
    assert similarity.augmentation(options) == "characters"
    options.train_own_data = True
    with pytest.raises(ValueError, match="pass --augment=characters too, or --nomirrored"):
        similarity.check_mirrored(options)
