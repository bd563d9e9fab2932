#!/usr/bin/env bash
# keras.ops.psnr takes pictures of uint8 and says that they are much more alike than they are.
#
# keras 3.15.1 on JAX 0.10.2. It subtracts and squares in uint8, so every squared difference is kept modulo 256.
# Differences below 16 are right; larger ones wrap round. The result is plausible, and no warning is given. The guess is
# that pictures of 0..255, for which max_val=255 is meant, may be passed as they come from a file. As floats the same
# pictures give the right number. Seen, for noise of up to 60 levels, and then for noise of up to 15 levels:
#   uint8 27.96 dB, float32 17.82 dB
#   uint8 29.29 dB, float32 29.29 dB
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet keras==3.15.1 jax==0.10.2 numpy==2.4.6
cd "$work"
KERAS_BACKEND=jax env/bin/python - <<'EOF'
import keras
import numpy as np

rng = np.random.default_rng(0)
picture = rng.integers(0, 256, (1, 64, 64, 3)).astype("uint8")
gaps = {}
for most in (60, 15):
    noise = rng.integers(-most, most + 1, picture.shape)
    noisy = np.clip(picture.astype(int) + noise, 0, 255).astype("uint8")
    whole = float(keras.ops.psnr(picture, noisy, 255))
    real = float(keras.ops.psnr(picture.astype("float32"), noisy.astype("float32"), 255))
    print(f"uint8 {whole:.2f} dB, float32 {real:.2f} dB")
    gaps[most] = whole - real
if not (gaps[60] > 9 and abs(gaps[15]) < 0.1):
    raise SystemExit("changed: keras.ops.psnr of uint8 no longer wraps round")
EOF
