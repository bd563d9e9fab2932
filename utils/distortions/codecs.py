"""What coders do to a photo: JPEG, JPEG 2000, errors on their way, few colours, few samples.

Every function takes a photo (H, W, 3) uint8, a level and a NumPy generator, and returns a new photo
(H, W, 3) uint8. With generators of one seed, a higher level hits what a lower one hits, and more.
The numbers (#) are those of TID2013.
"""

import io
import math

import numpy as np
from PIL import Image
from scipy import fft

from utils.distortions.defects import as_bytes, smooth
from utils.distortions.noise import levels_of, white_noise

JP2_MARKERS = 187  # bytes of a JPEG 2000 stream without any data
SEGMENT = 4  # JPEG units of 16 x 16 pixels from one restart marker to the next
FLIPS = 3  # bits inverted in a segment that is hit
ERRORS = 1e-3  # share of inverted bits in a damaged JPEG 2000 stream
REGION = 96  # pixels, kernel that smooths noise into regions
SAMPLE = 1 << 14  # pixels, at most, from which a palette is drawn
FIRST, LAST, ROUNDS = 150, 20, 8  # thresholds of the sparse reconstruction


def encoded(photo: np.ndarray, **options) -> bytes:
    """The photo as the bytes of a file; `options` as of Pillow's save."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, **options)
    return file.getvalue()


def decoded(stream: bytes) -> np.ndarray:
    """The photo (H, W, 3) uint8 in the bytes of a file."""
    with Image.open(io.BytesIO(stream)) as image:
        return np.array(image.convert("RGB"))


def jpeg(photo: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    """#10. JPEG with colour at half the resolution; quality 0..100 of libjpeg, where 0 counts as 1.

    Below about 5 nearly all is lost: of few photos quality 4 is no nearer to the photo than 0.
    """
    return decoded(encoded(photo, format="JPEG", quality=round(quality)))


def encode_jpeg2000(photo: np.ndarray, bits: float) -> bytes:
    """A JPEG 2000 stream of `bits` a pixel; its markers, which no rate can shrink, are not counted."""
    size = photo.shape[0] * photo.shape[1] * bits / 8 + JP2_MARKERS
    ratio = max(1.0, photo.size / size)
    lossy = {"quality_mode": "rates", "quality_layers": [ratio], "irreversible": True}
    return encoded(photo, format="JPEG2000", no_jp2=True, **lossy)


def jpeg2000(photo: np.ndarray, bits: float, rng: np.random.Generator) -> np.ndarray:
    """#11. JPEG 2000 of `bits` a pixel (24 / bits is the ratio).

    Below about 100 x 100 pixels the lowest rates hold no data: several levels are then one grey.
    """
    return decoded(encode_jpeg2000(photo, bits))


def jpeg_errors(photo: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """#12. JPEG (quality 75) of which this share of segments (64 x 16 pixels) arrives with inverted bits.

    The damage ends at the next restart marker.
    """
    stream = encoded(photo, format="JPEG", quality=75, restart_marker_blocks=SEGMENT)
    data = np.frombuffer(stream, "uint8").copy()
    segments = jpeg_segments(data, stream.rfind(b"\xff\xda"))
    order = rng.permutation(len(segments))
    draws = rng.random((len(segments), FLIPS, 2))
    for number in order[: math.ceil(share * len(segments))]:
        first, end = segments[number]
        for position, bit in draws[number]:
            invert(data, first + int(position * (end - first)), int(8 * bit))
    return decoded(data.tobytes())


def jpeg_segments(data: np.ndarray, scan: int) -> list[tuple[int, int]]:
    """First byte and end of the data between restart markers; `scan` is the position of the scan's header."""
    first = scan + 2 + int(data[scan + 2]) * 256 + int(data[scan + 3])
    restarts = first + np.flatnonzero((data[first:-1] == 0xFF) & (data[first + 1 :] & 0xF8 == 0xD0))
    return list(zip([first, *(restarts + 2)], [*restarts, len(data) - 2]))


def invert(data: np.ndarray, position: int, bit: int) -> None:
    """Inverts one bit in place, unless that makes or breaks a marker."""
    changed = data[position] ^ (1 << bit)
    if 0xFF not in (data[position - 1], data[position], changed):
        data[position] = changed


def jpeg2000_errors(photo: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """#13. JPEG 2000 (1 bit a pixel) with inverted bits, which show in this share of the area.

    One inverted bit may spoil much or little, and two may look better than one. So that levels keep
    their order, all levels decode the same damaged stream, and regions that grow show it.
    """
    stream = encode_jpeg2000(photo, 1.0)
    clean, damaged = decoded(stream), decode_damaged(stream, rng)
    field = smooth(rng.standard_normal((*photo.shape[:2], 1), "float32"), REGION)
    return np.where(field <= np.quantile(field, share), damaged, clean)


def decode_damaged(stream: bytes, rng: np.random.Generator) -> np.ndarray:
    """The photo in a JPEG 2000 stream with a thousandth of its bits inverted.

    The markers and the coarse picture at the beginning arrive whole, as if sent with more protection;
    and more than them where the decoder would give up otherwise.
    """
    draws = rng.random((math.ceil(ERRORS * 8 * len(stream)), 2))
    for safe in (0.25, 0.5, 0.75):
        data = np.frombuffer(stream, "uint8").copy()
        first = min(max(JP2_MARKERS, int(safe * len(data))), len(data) - 3)
        for position, bit in draws:
            invert(data, first + int(position * (len(data) - 2 - first)), int(8 * bit))
        try:
            return decoded(data.tobytes())
        except OSError:
            continue
    return decoded(stream)


def noisy_jpeg(photo: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """#21. White noise of this variance (values on 0..1), then JPEG too coarse for it: steps of 4 deviations."""
    noisy = white_noise(photo, variance, rng)
    steps = [min(255, max(1, round(4 * float(levels_of(variance)))))] * 64
    return decoded(encoded(noisy, format="JPEG", qtables=[steps, steps]))


def quantisation(photo: np.ndarray, thresholds: float, rng: np.random.Generator) -> np.ndarray:
    """#7. Each channel with `thresholds` + 1 values: multi-Otsu over all three, each class at its mean.

    9 7 5 3 thresholds stand for TID2013's steps of 27 39 55 76 grey levels.
    """
    counts = np.bincount(photo.ravel(), minlength=256)
    return multi_otsu(counts, round(thresholds) + 1)[photo]


def multi_otsu(counts: np.ndarray, classes: int) -> np.ndarray:
    """The table (256,) uint8 that maps values to at most `classes` values with the least squared error.

    Exact, by dynamic programming over the histogram `counts` (256,) (Liao, Chen & Chung 2001).
    """
    moments = np.zeros((3, 257))
    np.cumsum(counts * np.arange(256.0) ** np.arange(3)[:, None], axis=1, out=moments[:, 1:])
    number, total, squares = moments[:, None, :] - moments[:, :, None]  # (257, 257): of values i to j - 1
    error = np.where(np.tri(257, k=-1), np.inf, squares - total**2 / np.maximum(number, 1))
    best, starts = error[0], []
    for _ in range(classes - 1):
        sums = best[:, None] + error  # (257, 257): the last class starts at i, ends before j
        starts.append(sums.argmin(axis=0))
        best = sums.min(axis=0)
    table, end = np.zeros(256, "uint8"), 256
    for start in reversed(starts):
        first = int(start[end])
        table[first:end] = round(total[first, end] / max(number[first, end], 1))
        end = first
    table[:end] = round(total[0, end] / max(number[0, end], 1))
    return table


def dithering(photo: np.ndarray, colours: float, rng: np.random.Generator) -> np.ndarray:
    """#22. At most `colours` colours of a median cut, dithered (Floyd & Steinberg)."""
    step = math.ceil(math.sqrt(photo.shape[0] * photo.shape[1] / SAMPLE))
    palette = Image.fromarray(photo[::step, ::step]).quantize(round(colours))  # Pillow dithers with a given one only
    dithered = Image.fromarray(photo).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    return np.array(dithered.convert("RGB"))


def sparse_sampling(photo: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """#24. This share of pixels is kept, the others are rebuilt as the sparsest DCT that fits them.

    From the mean of near samples on, hard thresholds that fall from round to round (Guleryuz 2006).
    """
    draws = rng.random(photo.shape[:2], "float32")[..., None]
    known = draws <= max(share, draws.min())
    values = photo.astype("float32")
    guess = np.where(known, values, near_mean(values, known, kernel=4 / np.sqrt(known.mean())))
    for threshold in np.geomspace(FIRST, LAST, ROUNDS):
        spectrum = fft.dctn(guess, axes=(0, 1), norm="ortho")
        spectrum[np.abs(spectrum) < threshold] = 0
        guess = np.where(known, values, fft.idctn(spectrum, axes=(0, 1), norm="ortho"))
    return as_bytes(guess)


def near_mean(values: np.ndarray, known: np.ndarray, kernel: float) -> np.ndarray:
    """For each pixel the mean of those `known` (H, W, 1) around it, under a Gaussian."""
    weight = 1e-3  # of the whole photo's mean, where no sample is near
    total = smooth(values * known, kernel) + weight * values.mean(axis=(0, 1), where=known)
    return total / (np.maximum(smooth(known, kernel), 0) + weight)
