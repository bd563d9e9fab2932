"""A picture as the proof looks at it, and two pictures laid on each other.

Coordinates are continuous: x to the right, y down, and the first pixel reaches from (0, 0) to (1, 1). A map is a matrix
(3, 3).
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, label, uniform_filter

from utils.data.formats import values as numbers
from utils.data.formats.kinds import FORMATS
from utils.keypoints import sift
from utils.keypoints.cut import cut
from utils.keypoints.detector import detect
from utils.keypoints.geometry import transfer
from utils.pictures import pixel_digest

SIDE = 1024  # pixels a side at most at which pictures are looked at, where nobody asks for more
NARROW = 8  # ratio of both sides from which on a picture is a strip
TINY = 24  # pixels a side of a thumbnail
POINTS, POINTS_SIDE = 300, 288  # key points of a picture, and the side of the picture in which they are sought
FILLED, STRAIGHT = 0.35, 0.97  # most of a picture that filled corners take, and how nearly they are convex
PAINT, CORNER, SOFT = 8, 4, 3  # grey levels by which a filled corner may vary, its least side, and how wide its edge is
OVER, FEW = 0.02, 24  # share of a part by which it reaches into the next one, and least side of a part in pixels
# mean difference of the channels from which on a picture has colour, and from which on a place clearly has
COLOUR, VIVID = 3.0, 40.0
# grey levels by which a plain picture varies within windows, at this size
PLAIN, PLAIN_SIDE, PLAIN_WINDOW, PLAIN_SHARE = 4.0, 400, 15, 0.001
SPREAD = 2.0  # grey levels of deviation of a thumbnail that shows something
PAGES, ALPHA, DEEP = "further pages, frames or layers", "transparency", "more than 8 bits a channel"


class Seen:
    """A picture, upright, at most `side` pixels wide and high; see `shrinking` for strips.

    Attributes:
        picture: Pillow, mode RGB.
        size: width and height before it was made smaller.
        digest: what tells apart pictures whose pixels or sizes differ.
        file: where the picture comes from, "" where it was in memory.
        whole: gives the picture before it was made smaller.
    """

    def __init__(self, picture: Image.Image, side: int = SIDE, file: str = ""):
        picture = picture if picture.mode == "RGB" else picture.convert("RGB")
        self.size, self.side, self.file = picture.size, side, file
        self.digest, self.whole = pixel_digest(picture), lambda: picture
        self.picture = smaller(picture, side)

    @property
    def ratio(self) -> np.ndarray:
        """Pixels of `picture` for a pixel before it was made smaller, in x and y: (2,)."""
        return np.divide(self.picture.size, self.size)

    @cached_property
    def beside(self) -> frozenset[str]:
        """What the file holds beside the picture that is looked at, which has 8 bits a channel and lies on white paper:
        any of `PAGES`, `ALPHA` and `DEEP`. A photo's own previews (MPO) are nothing more."""
        try:
            with Image.open(self.file, formats=FORMATS) as file:
                deep = file.mode[:1] in "IF" or ";16" in numbers.raw_mode(file)
                pages = file.format == "PSD" or file.format != "MPO" and getattr(file, "n_frames", 1) > 1
                alpha = file.has_transparency_data and file.convert("RGBA").getchannel("A").getextrema()[0] < 255
        except OSError:  # not a file, or gone: nothing is said of it
            return frozenset()
        except Exception:  # a damaged further page, for which Pillow raises a dozen kinds
            return frozenset([PAGES])
        return frozenset(what for what, held in ((PAGES, pages), (ALPHA, alpha), (DEEP, deep)) if held)

    @cached_property
    def grey(self) -> Image.Image:
        """The picture in mode L."""
        return self.picture.convert("L")

    @cached_property
    def coloured(self) -> bool:
        """Whether it shows colours on the whole."""
        return bool(self.saturation.mean() > COLOUR)

    @cached_property
    def vivid(self) -> bool:
        """Whether a place in it clearly shows a colour."""
        return bool(self.saturation.max() > VIVID)

    @cached_property
    def saturation(self) -> np.ndarray:
        """(64, 64), the difference of the channels."""
        return np.ptp(np.asarray(self.picture.resize((64, 64), Image.Resampling.BOX), "float32"), axis=-1)

    @cached_property
    def plain(self) -> bool:
        """Whether it shows nothing but light: one colour, or colours that change so slowly that no window varies."""
        values = np.asarray(self.picture.resize([min(length, PLAIN_SIDE) for length in self.picture.size],
                                                Image.Resampling.BOX), "float32")
        third, rim = len(values) // 3, PLAIN_WINDOW // 2  # what lies beyond a part is not seen in it
        if third > 2 * PLAIN_WINDOW:  # most pictures vary enough there
            if (varying(values[third : 2 * third])[rim:-rim] >= PLAIN).mean() > 6 * PLAIN_SHARE:
                return False
        return bool(np.quantile(varying(values), 1 - PLAIN_SHARE) < PLAIN)

    @cached_property
    def thumbnail(self) -> np.ndarray:
        """(TINY, TINY) of mean 0 and length 1, whatever the shape of the picture; zeros where it is plain."""
        values = np.asarray(self.grey.resize((TINY, TINY), Image.Resampling.BOX), "float32")
        values -= values.mean()
        return values / np.linalg.norm(values) if values.std() > SPREAD else np.zeros_like(values)

    @cached_property
    def keypoints(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 2) in pixels of `picture`, and their descriptors (N, 128)."""
        return described(self.grey)

    @cached_property
    def mirrored(self) -> tuple[np.ndarray, np.ndarray]:
        """The same of the mirrored picture; the points lie in `picture` as it is."""
        xy, descriptors = self.keypoints
        return xy, sift.mirrored(descriptors)

    @cached_property
    def filled(self) -> Image.Image | None:
        """Where corners are filled with one colour, as turning a picture does it: mode L, 0 there and 255 elsewhere;
        None: nowhere."""
        planes = [np.asarray(plane) for plane in self.picture.split()]
        found = np.zeros(planes[0].shape, bool)
        for y, x in (0, 0), (0, -1), (-1, 0), (-1, -1):
            rows, columns = (slice(-CORNER, None) if end else slice(CORNER) for end in (y, x))
            if max(np.ptp(plane[rows, columns]) for plane in planes) > PAINT:
                continue
            even = opened(np.all([is_near(plane, plane[y, x], PAINT) for plane in planes], axis=0))
            if not even[y, x] or even.sum() <= 16:
                continue
            parts = label(even)[0]
            corner = parts == parts[y, x]
            if 16 < corner.sum() < FILLED * corner.size and is_convex(corner):
                found |= corner
        found = binary_dilation(found, iterations=SOFT) if found.any() else found
        return Image.fromarray(np.where(found, 0, 255).astype("uint8")) if found.any() else None


def tiles(a: Seen, b: Seen, matrix: np.ndarray, side: int) -> Iterator[tuple[Seen, Seen, np.ndarray, list[tuple]]]:
    """What both show, in parts with all pixels that both files have: the part of a and of b, each at most some `side`
    pixels wide and high in the coarser file, the map between them, and where each part begins in its file.

    Args:
        matrix: pixels of the file a -> pixels of the file b.
    """
    whole, corners = (a.whole(), b.whole()), np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    back = transfer(np.linalg.inv(matrix), corners * b.size)
    low, high = (np.clip(ends, 0, a.size) for ends in (back.min(0), back.max(0)))
    length = side * max(1.0, 1 / np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))  # of a part, in pixels of a
    counts = np.maximum(1, np.ceil((high - low) / length)).astype(int)
    for place in np.ndindex(*counts):
        ends = low + (high - low) / counts * np.add.outer((0, 1), place)
        box = pixels_of(ends + [[-OVER * length], [OVER * length]], a.size)
        at = transfer(matrix, corners * np.subtract(box[2:], box[:2]) + box[:2])
        other = pixels_of([at.min(0) - 2, at.max(0) + 2], b.size)
        if min(*np.subtract(box[2:], box[:2]), *np.subtract(other[2:], other[:2])) < FEW:
            continue
        yield (*(part(seen, picture, where) for seen, picture, where in zip((a, b), whole, (box, other))),
               moved_to(-np.array(other[:2])) @ matrix @ moved_to(box[:2]), [box[:2], other[:2]])


def pixels_of(ends: Sequence, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box of whole pixels around two ends (2, 2), within a picture of `size`."""
    low, high = np.floor(ends[0]).clip(0, size), np.ceil(ends[1]).clip(0, size)
    return tuple(int(end) for end in (*low, *high))


def moved_to(at: Sequence[float]) -> np.ndarray:
    """The map (3, 3) that moves the origin to a point."""
    matrix = np.eye(3)
    matrix[:2, 2] = at
    return matrix


def part(seen: Seen, whole: Image.Image, box: tuple[int, int, int, int]) -> Seen:
    """A part of a picture, with all its pixels."""
    found = Seen(whole.crop(box), max(whole.size), seen.file)
    found.coloured, found.vivid = seen.coloured, seen.vivid
    found.filled = seen.filled and seen.filled.resize(found.size, Image.Resampling.NEAREST,
                                                      box=tuple(np.multiply(box, np.tile(seen.ratio, 2))))
    return found


def shrinking(size: Sequence[float], side: int) -> float:
    """By how much a width and a height become smaller, so that none is above `side`; the longer one of a strip may be,
    whose shorter one would be below `side` / `NARROW`."""
    return min(1.0, max(side / max(size), side / NARROW / min(size)))


def smaller(picture: Image.Image, side: int) -> Image.Image:
    """The picture, at most `side` pixels wide and high unless it is a strip, see `shrinking`."""
    factor = shrinking(picture.size, side)
    return picture.resize([max(1, round(factor * length)) for length in picture.size],
                          Image.Resampling.BOX) if factor < 1 else picture


def described(grey: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Key points (N, 2) of a picture in its pixels, and descriptors (N, 128)."""
    small = smaller(grey, POINTS_SIDE)
    values = np.asarray(small, "float32")
    found = detect(values, POINTS, doubled=True)
    descriptors = sift.describe(cut(values, found, sift.SIDE, sift.MAGNIFICATION))
    return (found.xy.astype(float) + 0.5) * np.divide(grey.size, small.size), descriptors


def opened(part: np.ndarray) -> np.ndarray:
    """A part (H, W) bool without what is thinner than `CORNER` pixels; what lies outside of the picture counts as
    inside of the part."""
    return grown(~grown(~part, CORNER // 2), CORNER // 2)


def grown(part: np.ndarray, pixels: int) -> np.ndarray:
    """A part (H, W) bool and what lies at most `pixels` steps beside, above or below it."""
    for _ in range(pixels):
        before, part = part, part.copy()
        part[1:] |= before[:-1]
        part[:-1] |= before[1:]
        part[:, 1:] |= before[:, :-1]
        part[:, :-1] |= before[:, 1:]
    return part


def is_near(plane: np.ndarray, level: int, reach: int) -> np.ndarray:
    """Where a plane (H, W) uint8 lies at most `reach` levels beside a level."""
    low, high = max(int(level) - reach, 0), min(int(level) + reach, 255)
    return plane - np.uint8(low) <= high - low  # what lies below wraps around


def varying(values: np.ndarray) -> np.ndarray:
    """How far the colours of a picture (H, W, 3) lie beside the mean of the window around them: (H, W)."""
    return np.abs(values - uniform_filter(values, (PLAIN_WINDOW, PLAIN_WINDOW, 1), mode="nearest")).max(-1)


def is_convex(part: np.ndarray) -> bool:
    """Whether a part (H, W) bool fills its convex hull."""
    from scipy.spatial import ConvexHull  # half a second, and seldom needed

    rows, columns = spans(part), spans(part.T)
    if len(rows) < 3 or len(np.unique(rows[:, 1:] - (0, 1))) < 3:
        return False  # a bar
    if part.sum() <= STRAIGHT * max(np.ptp(side[:, 1:], axis=1).sum() for side in (rows, columns)):
        return False  # the hull holds at least what lies between the ends of each row
    corners = np.concatenate([rows[:, [0, end]] + (down, 0) for end in (1, 2) for down in (0, 1)])
    return part.sum() > STRAIGHT * ConvexHull(corners).volume


def spans(part: np.ndarray) -> np.ndarray:
    """Of each row of a part (H, W) bool that is not empty: its number, where it begins and where it ends, (N, 3)."""
    rows = np.flatnonzero(part.any(1))
    return np.stack([rows, part[rows].argmax(1), part.shape[1] - part[rows, ::-1].argmax(1)], axis=1)


class Frame:
    """The part of a that lies in b, drawn with pixels as coarse as those of the coarser of both, and `side` of them
    each way at most, see `shrinking`.

    Attributes:
        size: width and height in pixels.
        into_a: pixels of the frame -> pixels of a.
        into_b: pixels of b -> pixels of b as it is drawn from, which is made smaller first.
    """

    def __init__(self, a: Seen, b: Seen, matrix: np.ndarray, side: int):
        self.a, self.b = a, b
        corners = transfer(np.linalg.inv(matrix), np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * b.picture.size)
        low, high = (np.clip(ends, 0, a.picture.size) for ends in (corners.min(0), corners.max(0)))
        high = np.maximum(high, low + 1e-3)
        scale = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))  # pixels of b for a pixel of a
        factor = min(scale, shrinking(high - low, side))  # pixels of the frame for a pixel of a
        self.size = tuple(int(length) for length in np.maximum(1, np.rint((high - low) * factor)))
        self.box = (*low, *high)
        self.into_a = np.diag([*(high - low) / self.size, 1.0])
        self.into_a[:2, 2] = low
        self.small = tuple(max(1, round(min(1.0, factor / scale) * length)) for length in b.picture.size)
        self.into_b = np.diag([*np.divide(self.small, b.picture.size), 1.0])

    def of_a(self, picture: Image.Image) -> np.ndarray:
        """The frame as a picture of the size of a shows it: (H, W[, 3]) float32."""
        return np.asarray(picture.resize(self.size, Image.Resampling.BILINEAR, box=self.box), "float32")

    def small_b(self, picture: Image.Image) -> Image.Image:
        """A picture of the size of b, with pixels of about the size of those of the frame."""
        return picture if self.small == picture.size else picture.resize(self.small, Image.Resampling.BILINEAR)

    def of_b(self, picture: Image.Image, matrix: np.ndarray) -> np.ndarray:
        """The frame as a picture of the size of b shows it through a map: (H, W[, 3]) float32."""
        return warped(self.small_b(picture), self.into_b @ matrix @ self.into_a, self.size)

    def inside(self, matrix: np.ndarray) -> np.ndarray:
        """Where both pictures have pixels, and none of filled corners: (H, W) bool."""
        found = within(self.into_b @ matrix @ self.into_a, self.size, self.small)
        if self.a.filled:
            found &= self.of_a(self.a.filled) > 250
        if self.b.filled:
            found &= self.of_b(self.b.filled, matrix) > 250
        return found


def warped(picture: Image.Image, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture drawn through a map of pixels of the result to its own: (H, W[, 3]) float32."""
    return np.asarray(picture.transform(size, Image.Transform.AFFINE, matrix[:2].ravel(), Image.Resampling.BICUBIC),
                      "float32")


def within(matrix: np.ndarray, size: tuple[int, int], of: tuple[int, int], rim: float = 1.0) -> np.ndarray:
    """Which pixels (H, W) of a result of `size` a map brings into a picture of the size `of`, away from its rim."""
    x, y = np.arange(size[0]) + 0.5, (np.arange(size[1]) + 0.5)[:, None]
    found = np.ones((size[1], size[0]), bool)
    for row, length in zip(matrix[:2], of, strict=True):
        at = row[0] * x + row[1] * y + row[2]
        found &= (at > rim) & (at < length - rim)
    return found
