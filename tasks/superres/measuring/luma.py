"""How near an enlarged photo comes to its original: PSNR and SSIM on luma, as the published figures are made."""

import numpy as np
from keras import ops

from tasks.superres.data.resizing import rounded

LUMA, BLACK = np.array([65.481, 128.553, 24.966]) / 255, 16.0  # of ITU-R BT.601, which MATLAB's rgb2ycbcr computes
WINDOW = 11  # pixels a side of the windows of SSIM


def luma(photo: np.ndarray) -> np.ndarray:
    """The luma (H, W) of a photo (H, W, 3) uint8, 16..235, in whole numbers as MATLAB's rgb2ycbcr gives it."""
    return rounded(photo @ LUMA + BLACK)


def scores(made: np.ndarray, original: np.ndarray, border: int) -> dict[str, float]:
    """PSNR in dB and SSIM of two photos (H, W, 3) uint8 on luma, without `border` pixels at each side.

    SSIM is NaN where fewer than `WINDOW` pixels a side are left.
    """
    one, other = (luma(photo)[border:-border, border:-border, None].astype("float32") for photo in (made, original))
    found = {"psnr": float(ops.psnr(one, other, 255.0)), "ssim": np.nan}
    if min(one.shape[:2]) >= WINDOW:
        alike = ops.image.ssim(one, other, max_val=255.0, data_format="channels_last")
        found["ssim"] = float(ops.convert_to_numpy(alike).item())
    return found
