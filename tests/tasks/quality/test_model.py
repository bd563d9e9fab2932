"""The score of a photo of any size."""

import numpy as np
import pytest
from PIL import Image

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


def test_a_strip_is_scored_by_crops_that_are_cut_first(monkeypatch, tmp_path):
    """1 x 65000 pixels: enlarged as a whole, 11 GB; the crops of a short strip are those of the enlarged one."""
    scorer = rankiqa.scorer(small_ranker())
    seen = []
    watched = scorer._replace(score=lambda photos: seen.append(photos.shape) or scorer.score(photos))
    for size in ((1, 65_000), (65_000, 1)):
        assert np.isfinite(scoring.photo_score(watched, np.full((*size, 3), 9, "uint8"), 0))
    assert seen == [(scoring.CROPS, scorer.side, scorer.side, 3)] * 2
    monkeypatch.setattr(scoring, "ready_scorer", lambda: watched)
    for size in ((1, 20_000), (20_000, 1)):
        Image.new("RGB", size, (9, 9, 9)).save(tmp_path / "spacer.png")
        assert np.isfinite(scoring.quality_of_centres([str(tmp_path / "spacer.png")])).all()
    assert seen[2:] == [(1, scoring.CENTRE, scoring.CENTRE, 3)] * 2
