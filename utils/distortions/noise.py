"""Noise of many kinds, and what a denoiser leaves of it.

Every function takes a photo (H, W, 3) uint8, a level and a NumPy generator, and returns a new photo
(H, W, 3) uint8. Variances are those of values on 0..1, before saturation. With generators of one
seed all levels get the same noise, scaled. The numbers (#) are those of TID2013.
"""

from collections.abc import Callable

import numpy as np
from scipy import fft, ndimage

from utils.distortions.defects import LUMA, as_bytes, grey, smooth

BLOCK = 8  # pixels, side of a DCT block
STEP = 4  # pixels between the sliding blocks of the denoiser
CHROMA = 1.772, 1.402  # blue per Cb, red per Cr (BT.601)


def normal(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal deviates of the photo's shape, float32."""
    return rng.standard_normal(photo.shape, "float32")


def levels_of(variance: float) -> np.float32:
    """Standard deviation in grey levels of a variance on 0..1."""
    return np.float32(255 * np.sqrt(variance))


def white_noise(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#1. White Gaussian noise, in red, green and blue by itself."""
    return as_bytes(photo + levels_of(variance) * normal(photo, rng))


def colour_noise(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#2. White noise of this variance in Cb and Cr, and of a quarter of it in luma."""
    luma, blue, red = np.moveaxis(levels_of(variance) * normal(photo, rng), 2, 0)
    luma = luma / 2
    red, blue = CHROMA[1] * red, CHROMA[0] * blue
    green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1]  # so that colour adds no luma
    return as_bytes(photo + np.stack([luma + red, luma + green, luma + blue], axis=2))


def correlated_noise(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#3. Noise in grains: white noise under a Gaussian of sigma 1 pixel, of this variance afterwards."""
    return as_bytes(photo + levels_of(variance) * unit(smooth(normal(photo, rng), kernel=6)))


def unit(noise: np.ndarray) -> np.ndarray:
    """Noise scaled to variance 1."""
    return noise / max(noise.std(), np.float32(1e-6))


def masked_noise(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#4. Noise where texture hides it: as strong as the luma varies within 7 x 7 pixels.

    `variance` is the mean over the photo; a photo without any texture gets white noise.
    """
    luma = grey(photo)
    mean = ndimage.uniform_filter(luma, 7)
    texture = np.maximum(ndimage.uniform_filter(luma * luma, 7) - mean * mean, 0)  # (H, W) variance
    share = texture / texture.mean() if texture.mean() > 1e-2 else np.ones_like(texture)
    return as_bytes(photo + levels_of(variance) * np.sqrt(share)[..., None] * normal(photo, rng))


def high_frequency_noise(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#5. Noise with nothing below a quarter cycle a pixel, of this variance after the filter."""
    spectrum = fft.rfft2(normal(photo, rng), axes=(0, 1))
    down, right = fft.fftfreq(photo.shape[0])[:, None], fft.rfftfreq(photo.shape[1])[None, :]
    spectrum[np.hypot(down, right) < 0.25] = 0
    return as_bytes(photo + levels_of(variance) * unit(fft.irfft2(spectrum, photo.shape[:2], axes=(0, 1))))


def impulse_noise(photo: np.ndarray, density: float, rng: np.random.Generator) -> np.ndarray:
    """#6. Salt and pepper: this share of all values becomes 0 or 255, in each channel by itself."""
    draws = rng.random(photo.shape, "float32")
    result = photo.copy()
    result[draws < density / 2] = 0
    result[draws >= 1 - density / 2] = 255
    return result


def multiplicative_noise(photo: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """#19. Each value times 1 + normal noise of this standard deviation: light parts suffer most."""
    return as_bytes(photo * (1 + np.float32(deviation) * normal(photo, rng)))


def denoising(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#9. White noise once, then removed by a sliding DCT: what stays, and the texture that went with it.

    Hard thresholds at 2.7 standard deviations in overlapping blocks of 8 x 8 (Yaroslavsky 1996),
    a free method in the place of BM3D.
    """
    noisy, threshold = white_noise(photo, variance, rng), 2.7 * levels_of(variance)

    def shrink(coefficients):
        kept = np.abs(coefficients) >= threshold
        kept[:, 0, :, 0] = True
        return coefficients * kept

    height, width, _ = photo.shape
    padded = pad(noisy, BLOCK)
    tall, wide = padded.shape[0] - BLOCK, padded.shape[1] - BLOCK
    total = np.zeros_like(padded)
    for top, left in np.ndindex(BLOCK // STEP, BLOCK // STEP):
        window = np.s_[top * STEP : top * STEP + tall, left * STEP : left * STEP + wide]
        total[window] += in_blocks(padded[window], shrink)
    return as_bytes(total[BLOCK : BLOCK + height, BLOCK : BLOCK + width] / (BLOCK // STEP) ** 2)


def pad(photo: np.ndarray, border: int = 0) -> np.ndarray:
    """The photo as float32 with a mirrored border, and more at the end up to whole blocks."""
    sides = [(border, border + -size % BLOCK) for size in photo.shape[:2]]
    return np.pad(photo, [*sides, (0, 0)], "symmetric").astype("float32")


def in_blocks(values: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Values (8a, 8b, C) after `change` of their orthonormal block DCT (a, 8, b, 8, C)."""
    height, width, channels = values.shape
    blocks = values.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, channels)
    changed = change(fft.dctn(blocks, axes=(1, 3), norm="ortho"))
    return fft.idctn(changed, axes=(1, 3), norm="ortho").reshape(values.shape)


def comfort_noise(photo: np.ndarray, threshold: float, rng: np.random.Generator) -> np.ndarray:
    """#20. Texture replaced by noise that looks alike, as coders do that send its strength only.

    DCT coefficients (8 x 8, orthonormal) below `threshold` grey levels keep their size and get a
    random sign.
    """

    def scramble(coefficients):
        signs = rng.integers(0, 2, (*coefficients.shape[:4], 1), "int8") * 2 - 1
        signs[:, 0, :, 0] = 1
        return np.where(np.abs(coefficients) < threshold, coefficients * signs, coefficients)

    return as_bytes(in_blocks(pad(photo), scramble)[: photo.shape[0], : photo.shape[1]])
