"""How near a picture comes to its original: PSNR, and SSIM on luma, as the published figures of super-resolution are
made."""

import numpy as np

LUMA, BLACK = np.array([65.481, 128.553, 24.966]) / 255, 16.0  # of ITU-R BT.601, which MATLAB's rgb2ycbcr computes
WINDOW = 11  # pixels a side of the windows of SSIM


def rounded(values: np.ndarray, top: int = 255) -> np.ndarray:
    """Values as whole numbers in 0..top, halves upwards as MATLAB rounds: uint8, or uint16 where `top` asks for it."""
    return np.clip(np.floor(np.asarray(values) + 0.5), 0, top).astype("uint8" if top < 256 else "uint16")


def luma(photo: np.ndarray) -> np.ndarray:
    """The luma (H, W) of a photo (H, W, 3) uint8, 16..235, in whole numbers as MATLAB's rgb2ycbcr gives it."""
    return rounded(photo @ LUMA + BLACK)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """PSNR in dB of two pictures, or lumas, of one shape in 0..255; infinite for equal ones."""
    from keras import ops  # not for the others, which a page needs at its start

    return float(ops.psnr(one.astype("float32"), other.astype("float32"), 255.0))


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM of two lumas (H, W) in 0..255 at full size, windows of 11 x 11; NaN for smaller ones."""
    from keras import ops

    if min(one.shape) < WINDOW:
        return np.nan
    # float64, as of light pictures float32 loses the variances; JAX has float32 alone where nobody asks for more
    pair = [each[None, ..., None].astype("float64") for each in (one, other)]
    return float(ops.convert_to_numpy(ops.image.ssim(*pair, max_val=255.0, data_format="channels_last")).item())
