#!/usr/bin/env bash
# ensemble-boxes' nms and soft_nms write the weighted scores into the caller's lists: a second call weights them again.
#
# ensemble-boxes 1.0.9. With `weights`, nms multiplies the scores of each model by its share and leaves them so. The
# next function that gets the same lists, as in the example of the README, which tries four methods one after another,
# starts from the changed scores; and a search for the best threshold weights the models 2:1, then 4:1, then 8:1. So the
# heavier model's box wins at last, and the scores go to 0. weighted_boxes_fusion changes nothing. The guess is that a
# function which returns new boxes and scores leaves those that it was given. Seen, for two models that found one object
# with scores .4 and .9, weights 2:1:
#   nms, call 1: the box of model 2, score 0.300
#   nms, call 2: the box of model 1, score 0.178
#   nms, call 3: the box of model 1, score 0.119
#   weighted_boxes_fusion: 0.567 by itself, 0.090 after the three
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet ensemble-boxes==1.0.9 numpy==2.4.6 numba==0.68.1 pandas==3.1.1
cd "$work"
env/bin/python -W ignore - <<'EOF'
from ensemble_boxes import nms, weighted_boxes_fusion

ONE, TWO = [0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.52, 0.5]
boxes, labels, weights = [[ONE], [TWO]], [[0], [0]], [2, 1]
by_itself = float(weighted_boxes_fusion(boxes, [[0.4], [0.9]], labels, weights=weights)[1][0])
scores, won = [[0.4], [0.9]], []
for call in (1, 2, 3):
    kept, rated, _ = nms(boxes, scores, labels, weights=weights, iou_thr=0.5)
    won.append(1 if abs(kept[0] - ONE).max() < 1e-6 else 2)
    print(f"nms, call {call}: the box of model {won[-1]}, score {rated[0]:.3f}")
after = float(weighted_boxes_fusion(boxes, scores, labels, weights=weights)[1][0])
print(f"weighted_boxes_fusion: {by_itself:.3f} by itself, {after:.3f} after the three")
if not (won == [2, 1, 1] and by_itself > 0.5 and after < 0.2):
    raise SystemExit("changed: what nms does to the scores that it is given")
EOF
