"""The table of losses: idle losses, and models that cannot have a loss."""

import keras
import numpy as np
import pytest

from nets import losses, towers
from nets.heads import make_head
from nets.models import siamese

from helpers import small_siamese


@pytest.mark.parametrize("margin", [None, 1.5])
@pytest.mark.parametrize("name", losses.LOSSES)
def test_idle_loss_is_that_of_equal_embeddings(name, margin):
    """Where it depends on the batch, as a row says by nan, it is a number all the same."""
    model = small_siamese()
    model.get_layer("head").set_weights([np.float32(0), np.float32(0)])  # logits 0: a head that guesses
    labels = keras.ops.convert_to_tensor(np.repeat(np.arange(4, dtype="int32"), 3))
    found = siamese.make_loss(name, model, margin=margin)(keras.ops.ones((12, 8)), labels)
    idle, loss = losses.idle_loss(name, losses.settings_of(name, {"margin": margin})), float(keras.ops.mean(found))
    assert np.isfinite(loss) if np.isnan(idle) else loss == pytest.approx(idle, rel=1e-4)


@pytest.mark.parametrize("name", [name for name, row in losses.LOSSES.items() if row.unit_length])
def test_cosines_need_unit_length(name):
    tower = towers.make_tower("compact", (32, 32, 1), normalize=False)
    with pytest.raises(ValueError, match="--normalize"):
        siamese.make_loss(name, siamese.siamese(tower, make_head("distance")))
