"""Makes the pictures of docs/samples, which the first commands of the README ask about:

    python -m docs.samples

Two photos that scikit-learn ships, what was made of them, and what is drawn. The same pictures come out each time.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from sklearn.datasets import load_sample_image

from tasks.detection.boxes.geometry import Annotated
from tasks.detection.scenes.drawing import Planted, scene
from utils.glyphs import drawing, font_path, render

FOLDER = Path(__file__).parent / "samples"
LETTER, SIGN, FACE = "\u0eaa", "\u0541", "DejaVuSans"  # letters of Lao and Armenian, which no ready model learnt
SIDE, SEED = 400, 1  # of the scene with small signs: pixels, and what is drawn by chance


def main(folder: Path = FOLDER) -> None:
    """Writes all pictures into a folder."""
    folder.mkdir(exist_ok=True)
    palace, flower = (Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg"))
    palace.save(folder / "palace.jpg", quality=85)
    flower.save(folder / "flower.jpg", quality=85)
    captioned(palace).save(folder / "palace_copy.jpg", quality=60)
    seen_from_the_side(palace).save(folder / "palace_place.jpg", quality=85)
    flower.filter(ImageFilter.GaussianBlur(1.5)).save(folder / "flower_worse.jpg", quality=12)
    flower.resize((213, 142), Image.Resampling.LANCZOS).save(folder / "flower_small.png")
    for number in (1, 2):
        drawn(LETTER, number).save(folder / f"letter_{number}.png")
    Image.fromarray(signs(folder).picture).save(folder / "signs.jpg", quality=92)
    drawn(SIGN).save(folder / "sign.png")


def signs(folder: Path = FOLDER) -> Annotated:
    """Small signs on the photo of the palace; the boxes of five `SIGN` come first."""
    return scene([SEED], SIDE, [str(folder / "palace.jpg")], Planted(SIGN, 5), unseen=True)


def captioned(photo: Image.Image) -> Image.Image:
    """A copy as it comes back from the web: a part of a photo, smaller, with a caption."""
    copy = photo.crop((60, 20, 620, 400)).resize((448, 304), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(copy)
    pen.rectangle((0, 268, 448, 304), fill=(20, 20, 20))
    pen.text((12, 272), "Summer Palace, Beijing", fill="white", font=ImageFont.truetype(font_path(FACE), 22))
    return copy


def seen_from_the_side(photo: Image.Image) -> Image.Image:
    """The same place from elsewhere: a part of a photo, turned and in perspective, 420 x 320."""
    corners = (130, 90, 200, 425, 600, 400, 560, 20)  # of the photo: top left, bottom left, bottom right, top right
    return photo.transform((420, 320), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)


def drawn(character: str, number: int = 0) -> Image.Image:
    """A letter in dark ink on white, 105 x 105; drawn as by hand from 1 on, each number otherwise."""
    ink = render(character, FACE)
    if number:
        ink = drawing(ink, np.random.default_rng(number))
    return Image.fromarray(((1 - ink.astype("float32")) * 255).astype("uint8"))


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(__doc__)
    main()
