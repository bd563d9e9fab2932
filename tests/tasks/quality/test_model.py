"""The score of a photo of any size."""

import numpy as np
import pytest

from nets.models import rankiqa
from tasks.quality import model as scoring
from utils.distortions.catalogue import chosen

from helpers import paths_of, small_ranker


def test_small_photos_are_enlarged_and_crops_averaged(rng):
    scorer = rankiqa.scorer(small_ranker())
    photo = rng.integers(0, 256, (40, 30, 3), dtype="uint8")
    assert np.isfinite(scoring.photo_score(scorer, photo, 0))
    large = rng.integers(0, 256, (100, 130, 3), dtype="uint8")
    assert scoring.photo_score(scorer, large, 5, seed=1) == scoring.photo_score(scorer, large, 5, seed=1)
    whole = rng.integers(0, 256, (64, 64, 3), dtype="uint8")
    assert scoring.photo_score(scorer, whole, 4) == pytest.approx(scoring.photo_score(scorer, whole, 0), rel=1e-4)


def test_progress_counts_every_picture_that_is_scored(photo_folder):
    told = []
    scoring.score_levels(np.mean, paths_of(photo_folder)[:2], chosen(["contrast"]),
                         progress=lambda done, of: told.append((done, of)))
    assert told == [(done, 10) for done in range(1, 11)]
