"""What lens, sensor and display do to a photo: blur, shifts, patches, brightness, contrast, colour.

Every function takes a photo (H, W, 3) uint8, a level and a NumPy generator, and returns a new photo
(H, W, 3) uint8. Random draws do not depend on the level: with generators of one seed, a higher
level does the same thing harder. The numbers (#) are those of TID2013 (Ponomarenko et al. 2015).
"""

import numpy as np
from scipy import fft

LUMA = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R BT.601
TID_PIXELS = 512 * 384  # counts and sides below are for photos of this size
PATCH, MOVE = 15, 7  # pixels: side of a moved patch, and how far it moves


def as_bytes(values: np.ndarray) -> np.ndarray:
    """Values in grey levels, rounded and saturated to uint8."""
    return np.clip(np.rint(values), 0, 255).astype("uint8")


def smooth(values: np.ndarray, kernel: float) -> np.ndarray:
    """Gaussian of `kernel` pixels and sigma kernel/6 over values (H, W, C), mirrored at the border.

    A symmetric kernel on mirrored borders is a product in the DCT-II domain: exact, and as quick for
    199 pixels as for 7.
    """
    values = np.asarray(values, "float32")
    spectrum = fft.dctn(values, axes=(0, 1))
    spectrum *= response(kernel, values.shape[0])[:, None, None]
    spectrum *= response(kernel, values.shape[1])[None, :, None]
    return fft.idctn(spectrum, axes=(0, 1), overwrite_x=True)


def response(kernel: float, size: int) -> np.ndarray:
    """What a Gaussian of `kernel` pixels leaves of each of `size` DCT frequencies: (size,) float32."""
    steps = np.arange(1, int(kernel) // 2 + 1)
    weights = np.exp(-0.5 * (steps * 6 / kernel) ** 2)
    waves = np.cos(np.pi / size * np.outer(np.arange(size), steps))
    return ((1 + 2 * waves @ weights) / (1 + 2 * weights.sum())).astype("float32")


def gaussian_blur(photo: np.ndarray, kernel: float, rng: np.random.Generator) -> np.ndarray:
    """#8. Gaussian blur; `kernel` in pixels, sigma = kernel / 6."""
    return as_bytes(smooth(photo, kernel))


def moved_patches(photo: np.ndarray, count: float, rng: np.random.Generator) -> np.ndarray:
    """#14. Patches of 15 x 15 pixels that show what lies 7 pixels aside, each in a direction of its own.

    `count` is for 512 x 384 pixels and grows with the area, so that a crop looks like its photo.
    """
    side = min(PATCH, *photo.shape[:2])
    corners = apart(photo, side, rng)
    turns = 2 * np.pi * rng.random(len(corners))
    moves = np.rint(MOVE * np.stack([np.sin(turns), np.cos(turns)], axis=1)).astype(int)
    sources = np.clip(corners + moves, 0, np.subtract(photo.shape[:2], side))
    result = photo.copy()
    for (top, left), (y, x) in list(zip(corners, sources))[: per_area(photo, count)]:
        result[top : top + side, left : left + side] = photo[y : y + side, x : x + side]
    return result


def apart(photo: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Corners (N, 2) of all squares of a grid somewhere on the photo, in random order."""
    height, width, _ = photo.shape
    corners = side * np.indices((height // side, width // side)).reshape(2, -1).T
    return rng.permutation(corners) + rng.integers(0, (height % side + 1, width % side + 1))


def per_area(photo: np.ndarray, count: float) -> int:
    """A count for 512 x 384 pixels, scaled to the photo's area; at least 1."""
    return max(1, round(count * photo.shape[0] * photo.shape[1] / TID_PIXELS))


def colour_blocks(photo: np.ndarray, count: float, rng: np.random.Generator) -> np.ndarray:
    """#15. `count` squares of one random colour each, which do not overlap.

    Their side is 32 pixels for 512 x 384 and grows with the photo, so that they cover the same share.
    """
    height, width, _ = photo.shape
    side = min(height, width, max(1, round(32 * np.sqrt(height * width / TID_PIXELS))))
    corners = apart(photo, side, rng)
    colours = rng.integers(0, 256, (len(corners), 3), "uint8")
    result = photo.copy()
    for (top, left), colour in list(zip(corners, colours))[: round(count)]:
        result[top : top + side, left : left + side] = colour
    return result


def mean_shift(photo: np.ndarray, shift: float, rng: np.random.Generator) -> np.ndarray:
    """#16. Adds or subtracts `shift` grey levels."""
    return as_bytes(photo + np.float32(sign(rng) * shift))


def sign(rng: np.random.Generator) -> int:
    """-1 or 1."""
    return 1 if rng.random() < 0.5 else -1


def contrast(photo: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """#17. Contrast times `factor` (0..1) or, as likely, raised: .85 .7 .55 .4 become 1.2 1.4 1.6 1.8.

    The photo's mean stays where it is unless values saturate.
    """
    gain = factor if sign(rng) < 0 else 1 + 4 / 3 * (1 - factor)
    mean = photo.mean(dtype="float64")
    return as_bytes(np.float32(gain) * photo + np.float32(mean * (1 - gain)))


def saturation(photo: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """#18. Cb and Cr times `factor`: 0 is grey, below 0 the complementary colours; luma stays."""
    luma = grey(photo)[..., None]
    return as_bytes(luma + np.float32(factor) * (photo - luma))


def grey(photo: np.ndarray) -> np.ndarray:
    """Luma (H, W) float32 of a photo."""
    return photo.astype("float32") @ LUMA


def aberration(photo: np.ndarray, shift: float, rng: np.random.Generator) -> np.ndarray:
    """#23. Red moves `shift` pixels to one side and blue half of that to the other, a little blurred.

    Green stays, and the border is continued. On regular stripes a longer shift can fit better.
    """
    side, columns = sign(rng), np.arange(photo.shape[1])
    result = photo.copy()
    for channel, move in ((0, side * round(shift)), (2, -side * round(shift / 2))):
        moved = photo[:, np.clip(columns - move, 0, len(columns) - 1), channel, None]
        result[..., channel] = as_bytes(smooth(moved, kernel=3))[..., 0]
    return result
