"""A generator that makes one picture of all, and a discriminator that tells nothing apart, noticed while they learn."""

import math

import keras

LEAST = 0.05  # variety of what is made, in shares of that of the originals, below which all are alike
NEAR = 0.005  # how near the losses of D lie to ln 2 where it tells nothing apart


class Watch(keras.callbacks.Callback):
    """Says once so, and what to change.

    Args:
        judged: whether there is a discriminator.
        patience: epochs in a row before it speaks.
    """

    def __init__(self, judged: bool, patience: int = 2):
        super().__init__()
        self.judged, self.patience, self.epochs = judged, patience, {"alike": 0, "dead": 0, "starved": 0}

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        dead = self.judged and all(abs(logs[name] - math.log(2)) < NEAR for name in ("real", "made"))
        for name, seen in (("alike", logs["variety"] < LEAST), ("dead", dead),
                           ("starved", self.judged and logs["judging"] == 0)):
            self.epochs[name] = self.epochs[name] + 1 if seen else 0
            if self.epochs[name] == self.patience:
                print(f"\n{self.said(name, epoch + 1, logs)}")

    @staticmethod
    def said(name: str, epochs: int, logs: dict) -> str:
        """What was noticed, in a line."""
        return {
            "alike": f"collapsed: after {epochs} epochs all pictures that are made are alike (they vary "
                     f"{logs['variety']:.2g} times as much as their originals). Change one thing at a time: a higher "
                     "--feature_weight, a lower --adversarial_weight, a lower --learning_rate",
            "dead": f"the discriminator tells nothing apart after {epochs} epochs: its losses are those of a coin, ln "
                    "2. Change one thing at a time: a lower --weight_decay, a higher --learning_rate",
            "starved": f"the discriminator has stood still for {epochs} epochs, because the generator never fools it. "
                       "Change one thing at a time: a lower --learning_rate, a higher --adversarial_weight",
        }[name]
