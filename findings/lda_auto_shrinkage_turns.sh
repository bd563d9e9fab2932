#!/usr/bin/env bash
# scikit-learn's LinearDiscriminantAnalysis with shrinkage="auto" depends on how the features are turned; with a
# number it does not.
#
# scikit-learn 1.9.1. A number s mixes the covariance within the classes with a multiple of the unit matrix, and "auto"
# is to find s by Ledoit and Wolf (2004). The guess is that nothing else differs. But "auto" first divides each feature
# by its deviation and multiplies back afterwards, so it mixes with the diagonal of the variances. Behind a PCA, as in
# Fisherfaces, which keeps all components and so only turns the features, the components that hold noise then count as
# much as those that hold the classes. Seen, 40 classes with 5 rows of features each to learn from; the share of 200
# rows of 40 other classes whose nearest row is of their class:
#   shrinkage 0.5: 0.745 as they are, 0.745 turned by a PCA
#   shrinkage auto: 0.880 as they are, 0.435 turned by a PCA
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cd "$work"
env/bin/python - <<'EOF'
import numpy as np
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

rng = np.random.default_rng(0)
CLASSES, EACH, LATENT, FEATURES = 40, 5, 20, 120
mixing = rng.normal(size=(LATENT, FEATURES)) / LATENT**0.5


def drawn():
    """Features of classes that differ in a few directions, with a little noise in all."""
    labels = np.repeat(np.arange(CLASSES), EACH)
    centres = rng.normal(size=(CLASSES, LATENT))
    shown = centres[labels] + 0.7 * rng.normal(size=(len(labels), LATENT))
    return shown @ mixing + 0.3 * rng.normal(size=(len(labels), FEATURES)), labels


def nearest(embedded, labels):
    """How often the nearest other row, by the angle, is of the same class."""
    unit = embedded / np.linalg.norm(embedded, axis=1, keepdims=True)
    near = unit @ unit.T - 2 * np.eye(len(unit))
    return np.mean(labels[near.argmax(1)] == labels)


known, labels = drawn()
other, others = drawn()
turn = PCA(svd_solver="full").fit(known)
found = {}
for shrinkage in (0.5, "auto"):
    for name, change in (("as they are", lambda rows: rows - turn.mean_), ("turned by a PCA", turn.transform)):
        learnt = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage).fit(change(known), labels)
        found[shrinkage, name] = nearest(learnt.transform(change(other)), others)
    print(f"shrinkage {shrinkage}: " + ", ".join(f"{value:.3f} {name}" for (used, name), value in found.items()
                                                 if used == shrinkage))
same = found[0.5, "as they are"] == found[0.5, "turned by a PCA"]
if not same or found["auto", "as they are"] - found["auto", "turned by a PCA"] < 0.05:
    raise SystemExit("changed: how shrinkage='auto' depends on a turn of the features")
EOF
