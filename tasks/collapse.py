"""A training that learns nothing, noticed while it runs."""

import math

import keras


class Collapse(keras.callbacks.Callback):
    """Says so, and what to change, when all embeddings are alike, the loss idles, or it is NaN.

    Args:
        idle_loss: the loss that stays when all embeddings are alike: ln 2, or the margin of triplets.
        least: spread (see `nets.losses.pairs.spread`) below which they count as alike.
        patience: epochs in a row before it speaks.
        advice: what else to change, one thing after the other.
    """

    def __init__(self, idle_loss: float, least: float = 0.02, patience: int = 2, advice: str = ""):
        super().__init__()
        self.advice = advice
        self.idle_loss, self.least, self.patience, self.epochs = idle_loss, least, patience, 0

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            print("\nTraining diverged: the loss is NaN or infinite. Try a learning rate ten times lower.")
            return
        alike = (
            logs["spread"] < self.least
            or logs["different_distance"] < 1.02 * logs["same_distance"]
            or math.isclose(logs["loss"], self.idle_loss, rel_tol=0.004)
        )
        self.epochs = self.epochs + 1 if alike else 0
        if self.epochs == self.patience:
            print(
                f"\ncollapsed: after {epoch + 1} epochs same and different pairs are not told apart (distances "
                f"{logs['same_distance']:.3g} and {logs['different_distance']:.3g}, spread {logs['spread']:.2g}, "
                f"loss {logs['loss']:.3f}"
                + ("" if math.isnan(self.idle_loss) else f"; {self.idle_loss:.3f} is that of embeddings that are all "
                                                         "alike")
                + f"). Change one thing at a time: a --learning_rate ten times lower{self.advice}; and look at "
                  "batch.png: could you tell?"
            )
