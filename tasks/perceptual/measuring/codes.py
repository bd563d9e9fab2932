"""What do the codes of a generator tell of classes: a linear support vector machine on them, as in the article's
table 4."""

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from nets.models.perceptual import Maker
from tasks.perceptual.measuring.report import AT_ONCE

FOLDS = 10
PENALTIES = {"linearsvc__C": [1e-4, 1e-3, 1e-2, 1e-1]}  # of which the best on parts of what is fitted is taken


def of_pictures(used: Maker, pictures: np.ndarray) -> np.ndarray:
    """The codes (N, F) of pictures (N, s, s, 3) uint8."""
    return np.concatenate([used.encode(pictures[start : start + AT_ONCE])
                           for start in range(0, len(pictures), AT_ONCE)])


def accuracies(features: np.ndarray, labels: np.ndarray, fitted: int, seed: int, progress=lambda done, of: None
               ) -> np.ndarray:
    """The accuracy (FOLDS,) on pictures that were not fitted, in folds drawn by chance with as many of each class.

    Args:
        features: (N, F).
        labels: (N,) int.
        fitted: pictures of each class to fit on.

    Raises:
        ValueError: a class has no picture left to test.
    """
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2 or counts.min() <= fitted:
        raise ValueError(f"--fitted={fitted}: the smallest of {len(counts)} classes has {counts.min()} pictures, "
                         "expected two classes or more, with more pictures each than are fitted")
    found, rng = [], np.random.default_rng(seed)
    for fold in range(FOLDS):
        rows = np.concatenate([rng.permutation(np.flatnonzero(labels == label))[:fitted]
                               for label in np.unique(labels)])
        inner = StratifiedShuffleSplit(3, test_size=0.3, random_state=fold)
        machine = GridSearchCV(make_pipeline(StandardScaler(), LinearSVC(dual="auto", random_state=fold)), PENALTIES,
                               cv=inner if fitted > 3 else 2)
        machine.fit(features[rows], labels[rows])
        left = np.setdiff1d(np.arange(len(labels)), rows)
        found.append(machine.score(features[left], labels[left]))
        progress(fold + 1, FOLDS)
    return np.array(found)
