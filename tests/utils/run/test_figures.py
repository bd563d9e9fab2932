"""Figures of any run."""

import numpy as np

from utils.run import figures


def test_figures_are_written(tmp_path, rng):
    with open(tmp_path / "log.csv", "w") as file:
        file.write("epoch,loss,val_loss,val_accuracy,val_roc_auc,same_distance,different_distance\n0,1,1,.5,.5,1,1\n")
    figures.training_curves(str(tmp_path), [("validation", ["val_accuracy"]), ("none of these", ["order"])])
    figures.batch(str(tmp_path), rng.uniform(0, 255, (6, 8, 8, 1)), np.repeat([3, 1], 3))
    figures.compared(rng.uniform(0, 255, (8, 8, 3)), rng.uniform(0, 255, (8, 8, 3)), "same", str(tmp_path / "p.png"))
    for name in ("curves.png", "batch.png", "p.png"):
        assert (tmp_path / name).stat().st_size > 1000
