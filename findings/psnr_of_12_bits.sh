#!/usr/bin/env bash
# image-similarity-measures takes 255 for a dim grey: PSNR and RMSE of photos are those of 12 bits, and SAM wraps.
#
# image-similarity-measures 0.3.6, NumPy 1.26.4. `evaluation` and its command line read two files and give PSNR and RMSE
# with max_p=4095, the largest value of satellite pictures of 12 bits, whatever the files hold, and neither has a
# setting for it. So PSNR of 8 bits is 24.1 dB too high and RMSE 16 times too small: strong noise looks like none. The
# spectral angle (SAM) multiplies in uint8, modulo 256, and calls two nearly equal pictures perpendicular. The guess is
# that a function that reads PNG files knows that they hold 0..255. Seen, for noise of up to 10 levels of 255; "right" is
# computed in floats:
#   PSNR 56.6 dB, right 32.5 dB
#   RMSE 0.0015, right 0.0237
#   SAM 89.5 degrees, right 2.1 degrees
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet image-similarity-measures==0.3.6 numpy==1.26.4 opencv-python==4.11.0.86 \
  scikit-image==0.20.0 phasepack==1.5 pillow==12.1.1
cd "$work"
env/bin/python -W ignore - <<'EOF'
import numpy as np
from image_similarity_measures.evaluate import evaluation
from PIL import Image

rng = np.random.default_rng(0)
one = rng.integers(30, 220, (128, 128, 3)).astype("uint8")
two = np.clip(one.astype(int) + rng.integers(-10, 11, one.shape), 0, 255).astype("uint8")
Image.fromarray(one).save("one.png")
Image.fromarray(two).save("two.png")
given = evaluation(org_img_path="one.png", pred_img_path="two.png", metrics=["psnr", "rmse", "sam"])
a, b = one.astype(float), two.astype(float)
error = ((a - b) ** 2).mean()
psnr, rmse = 10 * np.log10(255**2 / error), error**0.5 / 255
lengths = np.linalg.norm(a, axis=2) * np.linalg.norm(b, axis=2)
angle = float(np.degrees(np.arccos(np.clip((a * b).sum(2) / lengths, -1, 1))).mean())
print(f"PSNR {given['psnr']:.1f} dB, right {psnr:.1f} dB\nRMSE {given['rmse']:.4f}, right {rmse:.4f}")
print(f"SAM {given['sam']:.1f} degrees, right {angle:.1f} degrees")
if not (given["psnr"] - psnr > 23 and given["rmse"] < rmse / 10 and given["sam"] > angle + 30):
    raise SystemExit("changed: what image-similarity-measures takes for white")
EOF
