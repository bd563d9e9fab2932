"""How near an enlarged photo comes to its original, as the published figures are made."""

import numpy as np

from utils.metrics.pictures import luma, psnr, ssim


def scores(made: np.ndarray, original: np.ndarray, border: int) -> dict[str, float]:
    """PSNR in dB and SSIM of two photos (H, W, 3) uint8 on luma, without `border` pixels at each side.

    SSIM is NaN where fewer pixels a side are left than its window has.
    """
    one, other = (luma(photo)[border:-border, border:-border] for photo in (made, original))
    return {"psnr": psnr(one, other), "ssim": ssim(one, other)}
