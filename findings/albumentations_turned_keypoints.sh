#!/usr/bin/env bash
# albumentations turns the angle of a keypoint against the picture in Rotate and Affine: it is wrong by twice the turn.
#
# albumentations 2.0.8. A keypoint of the form "xya" has a place and an angle. HorizontalFlip, VerticalFlip, Transpose
# and RandomRotate90 take the angle from the x axis towards y, which points down, and keep it true to the picture.
# Rotate and Affine turn place and picture alike, and add the turn to the angle where it is to be subtracted. So no
# reading of the angle suits all of them. The guess is that a quarter turn gives the same keypoint, whichever of the two
# makes it. Seen, for a keypoint of 20 degrees and a second one in that direction, which tells where it points to after
# the change:
#   HorizontalFlip: points to 160, angle 160
#   VerticalFlip: points to 340, angle 340
#   Transpose: points to 70, angle 70
#   RandomRotate90: points to 290, angle 290
#   Rotate by 90: points to 290, angle 110
#   Rotate by 30: points to 350, angle 50
#   Affine by 30: points to 350, angle 50
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet albumentations==2.0.8 albucore==0.0.24 opencv-python-headless==4.11.0.86 \
  scipy==1.17.1 numpy==2.4.6
cd "$work"
NO_ALBUMENTATIONS_UPDATE=1 env/bin/python -W ignore - <<'EOF'
import math

import albumentations as A
import cv2
import numpy as np

ANGLE, SIDE = 20, 101
SOUND = {"HorizontalFlip": A.HorizontalFlip(p=1), "VerticalFlip": A.VerticalFlip(p=1), "Transpose": A.Transpose(p=1),
         "RandomRotate90": A.RandomRotate90(p=1)}
TURNED = {"Rotate by 90": A.Rotate((90, 90), p=1), "Rotate by 30": A.Rotate((30, 30), p=1),
          "Affine by 30": A.Affine(rotate=(30, 30), p=1)}
place = np.array([50.0, 40.0])
ahead = place + 20 * np.array([math.cos(math.radians(ANGLE)), math.sin(math.radians(ANGLE))])
picture = np.zeros((SIDE, SIDE), "uint8")
cv2.circle(picture, np.rint(ahead).astype(int).tolist(), 3, 255, -1)


def changed(change):
    """Where the keypoint points to after the change, and the angle that it then has, in degrees."""
    whole = A.Compose([change], keypoint_params=A.KeypointParams("xya", remove_invisible=False), seed=SEED)
    made = whole(image=picture, keypoints=np.array([[*place, ANGLE], [*ahead, 0]]))
    first, second = np.asarray(made["keypoints"])
    rows, columns = np.nonzero(made["image"] > 127)
    assert np.hypot(columns.mean() - second[0], rows.mean() - second[1]) < 1, "the places go with the picture"
    return math.degrees(math.atan2(*(second - first)[1::-1])) % 360, first[2] % 360


SEED = next(seed for seed in range(50) if np.array_equal(np.rot90(picture), A.Compose(
    [A.RandomRotate90(p=1)], seed=seed)(image=picture)["image"]))  # that makes the quarter turn which Rotate makes
off = {}
for name, change in (SOUND | TURNED).items():
    points, angle = changed(change)
    off[name] = round(angle - points) % 360
    print(f"{name}: points to {points:.0f}, angle {angle:.0f}")
if off != dict.fromkeys(SOUND, 0) | {"Rotate by 90": 180, "Rotate by 30": 60, "Affine by 30": 60}:
    raise SystemExit("changed: the angle of a keypoint")
EOF
