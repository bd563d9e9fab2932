#!/usr/bin/env bash
# torchmetrics' PSNR-B falls with the number of pictures that are measured: 12.5 dB for one, 1.0 dB for 32 times the
# same.
#
# torchmetrics 1.9.0, torch 2.13.0. PSNR-B measures JPEG and other pictures made in blocks: it adds to the mean squared
# error a term for the edges between blocks. torchmetrics divides the squared error by the number of all pixels of all
# pictures, and the term for the edges by that of one picture; and it adds that up, over the pictures of a batch and
# over the calls of update. So the result depends on how many pictures the test set has, and the edges soon outweigh the
# rest. The guess is that a mean over pictures stays what it is where all are the same. Seen, for a picture of mean
# blocks of 8 x 8 pixels (PSNR does not change):
#   1 times: PSNR 14.8 dB, PSNR-B 12.5 dB, by update 12.5 dB
#   2 times: PSNR 14.8 dB, PSNR-B 11.0 dB, by update 11.0 dB
#   8 times: PSNR 14.8 dB, PSNR-B 6.5 dB, by update 6.5 dB
#   32 times: PSNR 14.8 dB, PSNR-B 1.0 dB, by update 1.0 dB
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
cd "$work"
env/bin/python -W ignore - <<'EOF'
import numpy as np
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, peak_signal_noise_ratio_with_blocked_effect
from torchmetrics.image import PeakSignalNoiseRatioWithBlockedEffect

rng = np.random.default_rng(0)
whole = torch.from_numpy(rng.random((1, 1, 16, 16), dtype="float32"))
whole = torch.nn.functional.interpolate(whole, (96, 96), mode="bicubic").clamp(0, 1)
blocks = torch.nn.functional.avg_pool2d(whole, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
found = {}
for count in (1, 2, 8, 32):
    pair = blocks.repeat(count, 1, 1, 1), whole.repeat(count, 1, 1, 1)
    psnr = peak_signal_noise_ratio(*pair, data_range=1.0).item()
    at_once = peak_signal_noise_ratio_with_blocked_effect(*pair, data_range=1.0).item()
    metric = PeakSignalNoiseRatioWithBlockedEffect(data_range=1.0)
    for _ in range(count):
        metric.update(blocks, whole)
    found[count] = psnr, at_once, metric.compute().item()
    print("{} times: PSNR {:.1f} dB, PSNR-B {:.1f} dB, by update {:.1f} dB".format(count, *found[count]))
same = abs(found[32][0] - found[1][0]) < 0.01
if not (same and all(found[1][way] - found[32][way] > 10 for way in (1, 2))):
    raise SystemExit("changed: how PSNR-B depends on the number of pictures")
EOF
