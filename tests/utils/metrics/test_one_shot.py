"""Official one-shot runs, and the baseline that proves that they are read rightly."""

import zipfile

import numpy as np
import pytest

from utils.metrics import one_shot


def test_modified_hausdorff_equals_a_loop(rng):
    a, b = rng.normal(size=(9, 2)), rng.normal(size=(6, 2))
    one = np.mean([min(np.hypot(*(p - q)) for q in b) for p in a])
    two = np.mean([min(np.hypot(*(p - q)) for p in a) for q in b])
    assert one_shot.modified_hausdorff(a, b) == pytest.approx(max(one, two))
    assert one_shot.modified_hausdorff(a, a) == 0


def test_archives_that_are_none_are_refused(tmp_path):
    (tmp_path / "a.zip").write_text("no")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("readme.txt", "hello")
    for name in ("a.zip", "b.zip", "none.zip"):
        with pytest.raises(ValueError, match="expected Omniglot's all_runs.zip"):
            one_shot.read_runs(str(tmp_path / name), (8, 8, 1))


@pytest.mark.slow
def test_official_runs_and_the_published_baseline(omniglot):
    """61.2 % (an error of 38.8 %) proves that images and runs are read rightly."""
    runs = one_shot.read_runs(str(omniglot / "all_runs.zip"), (105, 105, 1))
    assert len(runs) == 20 and all(run.queries.shape == (20, 105, 105, 1) for run in runs)
    assert all(sorted(run.truth) == list(range(20)) for run in runs)
    assert one_shot.one_shot_accuracy(runs, one_shot.hausdorff_similarity) == pytest.approx(0.612, abs=0.0013)
