"""A small data set of own pictures to try `--train_own_data` with: drawn faces, ten pictures of each of forty people.

    python -m utils.faces [folder]

The pictures are grey, 92 x 112 pixels, one folder for each person. A person has a head, hair, eyes, brows, nose, mouth;
from picture to picture pose, expression, light, glasses and background change. They are drawn, so nobody is on them.
"""

import os
import sys
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from utils.data.files import save_aside
from utils.run.console import progress_bar

WIDTH, HEIGHT = 92, 112  # pixels
FINE = 3  # times as many pixels are drawn, for smooth edges
PEOPLE, PICTURES = 40, 10


class Person(NamedTuple):
    """What makes a face: lengths in shares of the height of the head, tones 0 (black) to 255."""

    head: float  # width
    jaw: float  # exponent of the outline: 2 round, 3 square
    skin: float
    hair: float
    hairline: float
    sides: float  # length of the hair beside the face
    eyes: float  # distance of the eyes
    eye: float  # width of an eye
    eye_height: float
    iris: float
    brow: float  # thickness
    brow_slope: float
    nose: float  # length
    nose_width: float
    mouth: float  # width
    mouth_height: float
    lips: float
    beard: float


RANGES = Person(
    head=(0.68, 0.86), jaw=(1.9, 2.8), skin=(150, 215), hair=(15, 150), hairline=(0.22, 0.36), sides=(0.1, 0.9),
    eyes=(0.24, 0.34),
    eye=(0.085, 0.13), eye_height=(0.4, 0.47), iris=(20, 110), brow=(0.012, 0.045), brow_slope=(-0.25, 0.25),
    nose=(0.16, 0.27),
    nose_width=(0.05, 0.11), mouth=(0.17, 0.3), mouth_height=(0.75, 0.83), lips=(0.015, 0.045), beard=(0, 1),
)


def draw_faces(folder: str, people: int = PEOPLE, pictures: int = PICTURES, seed: int = 0,
               progress=lambda done, of: None) -> int:
    """Draws the data set below `folder` and returns the number of pictures."""
    for number in range(people):
        rng = np.random.default_rng([seed, number])
        person = Person(*(rng.uniform(*span) for span in RANGES))
        person = person._replace(beard=max(0.0, person.beard - 0.6))  # most have none
        os.makedirs(os.path.join(folder, f"person{number + 1:02d}"), exist_ok=True)
        for picture in range(pictures):
            image = portrait(person, np.random.default_rng([seed, number, picture]))
            save_aside(image.save, os.path.join(folder, f"person{number + 1:02d}", f"{picture + 1:02d}.png"), ".png")
        progress(number + 1, people)
    return people * pictures


def portrait(person: Person, rng: np.random.Generator) -> Image.Image:
    """One picture of a person, (HEIGHT, WIDTH) grey, in a pose, light and mood of its own."""
    size = np.array([WIDTH, HEIGHT]) * FINE
    page = Image.new("L", tuple(size), int(rng.uniform(40, 230)))
    unit = HEIGHT * FINE * 0.74 * rng.uniform(0.9, 1.08)  # height of the head
    middle = size / 2 + rng.uniform(-0.05, 0.05, 2) * size + [0, 0.02 * size[1]]
    turn, nod = rng.uniform(-1, 1), rng.uniform(-1, 1)  # of the head: features move on it
    pen = ImageDraw.Draw(page)

    def at(x: float, y: float, depth: float = 1.0) -> tuple[float, float]:
        """A place on the face: x from its middle, y from the top of the head, nearer parts move more when the head
        turns."""
        return (middle[0] + unit * (x * (1 - 0.08 * abs(turn)) + 0.075 * turn * depth),
                middle[1] + unit * (y - 0.5 + 0.035 * nod * depth))

    draw_head(pen, person, at)
    draw_features(pen, person, at, unit, rng)
    page = page.rotate(rng.uniform(-8, 8), Image.Resampling.BILINEAR, fillcolor=page.getpixel((0, 0)))
    page = page.filter(ImageFilter.GaussianBlur(FINE * rng.uniform(0.4, 0.9))).resize((WIDTH, HEIGHT),
                                                                                      Image.Resampling.BOX)
    return Image.fromarray(lit(np.asarray(page, "float32"), rng))


def draw_head(pen: ImageDraw.ImageDraw, person: Person, at) -> None:
    """Neck, hair behind, face, hair in front, beard."""
    angles = np.linspace(0, 2 * np.pi, 90)
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** (2 / person.jaw)
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** (2 / person.jaw)
    half = person.head / 2
    shade = int(person.skin * 0.8)
    pen.polygon([at(*p, 0) for p in ((-0.18, 0.8), (0.18, 0.8), (0.24, 1.3), (-0.24, 1.3))], fill=shade)
    pen.polygon([at(*p, 0) for p in ((-0.7, 1.35), (-0.3, 1.12), (0.3, 1.12), (0.7, 1.35))], fill=int(person.hair))
    hair = [at(half * 1.1 * a, 0.46 + 0.5 * min(b, person.sides), 0) for a, b in zip(x, y, strict=True)]
    pen.polygon(hair, fill=int(person.hair))
    pen.polygon([at(half * a, 0.5 + 0.5 * b, 0.2) for a, b in zip(x, y, strict=True)], fill=int(person.skin))
    front = [(half * a, max(0.5 + 0.5 * b, 0)) for a, b in zip(x, y, strict=True) if 0.5 + 0.5 * b < person.hairline]
    if len(front) > 2:
        pen.polygon([at(a * 1.02, b, 0.3) for a, b in front], fill=int(person.hair))
    if person.beard:
        lower = [(half * a, 0.5 + 0.5 * b) for a, b in zip(x, y, strict=True) if 0.5 + 0.5 * b > 0.7]
        tone = int(person.skin + (person.hair - person.skin) * min(1, 2 * person.beard))
        pen.polygon([at(a, b, 0.3) for a, b in lower], fill=tone)


def draw_features(pen: ImageDraw.ImageDraw, person: Person, at, unit: float, rng: np.random.Generator) -> None:
    """Eyes, brows, nose, mouth; open or shut, smiling or not, with glasses or without."""
    open_eyes, smile, open_mouth = rng.uniform(0.25, 1), rng.uniform(-0.02, 0.05), max(0.0, rng.uniform(-0.05, 0.05))
    glasses, raised = rng.random() < 0.15, rng.uniform(-0.012, 0.02)
    for side in (-1, 1):
        x, y, half = side * person.eyes / 2, person.eye_height, person.eye / 2
        (left, top), (right, bottom) = at(x - half, y - half * 0.55
                                          * open_eyes), at(x + half, y + half * 0.55 * open_eyes)
        pen.ellipse((left, top, right, bottom), fill=235, outline=int(person.skin * 0.45), width=2)
        radius, gaze = half * 0.5 * unit, rng.uniform(-0.25, 0.25) * half
        centre = at(x + gaze, y)
        tall = min(radius, (bottom - top) / 2)
        pen.ellipse((centre[0] - radius, centre[1] - tall, centre[0] + radius, centre[1] + tall), fill=int(person.iris))
        brow = [at(x - side * half * 1.3, y - 0.07 - raised),
                at(x + side * half * 1.4, y - 0.07 - raised - person.brow_slope * half)]
        pen.line(brow, fill=int(person.hair * 0.8), width=max(2, round(person.brow * unit)))
        if glasses:
            (left, top), (right, bottom) = at(x - half * 1.6, y - half * 1.3), at(x + half * 1.6, y + half * 1.3)
            pen.rectangle((left, top, right, bottom), outline=25, width=max(2, round(0.012 * unit)))
    top, tip = at(0, person.eye_height + 0.02), at(0, person.eye_height + person.nose, 1.6)
    wing = person.nose_width * unit
    pen.polygon([top, (tip[0] + wing, tip[1]), (tip[0] - wing, tip[1])], fill=int(person.skin * 0.9))
    pen.arc((tip[0] - wing, tip[1] - wing * 0.5, tip[0] + wing, tip[1] + wing * 0.5), 0, 180,
            fill=int(person.skin * 0.5), width=3)
    across = np.linspace(-1, 1, 15)
    lip = [at(a * person.mouth / 2, person.mouth_height - smile * a * a) for a in across]
    low = [at(a * person.mouth / 2, person.mouth_height - smile * a * a + (person.lips + open_mouth) * (1 - a * a))
           for a in across[::-1]]
    pen.polygon(lip + low, fill=int(person.skin * 0.55 if open_mouth < 0.02 else 40))
    pen.line(lip, fill=int(person.skin * 0.4), width=max(2, round(person.lips * unit)))


def lit(tones: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tones (H, W) under a light from somewhere, exposed more or less, with a little noise: uint8."""
    y, x = np.indices(tones.shape) / np.array([HEIGHT, WIDTH])[:, None, None] - 0.5
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.7)
    light = 1 + strength * (np.cos(angle) * x + np.sin(angle) * y)
    values = tones * light * rng.uniform(0.75, 1.2) + rng.normal(0, 3, tones.shape)
    return np.clip(np.rint(values), 0, 255).astype("uint8")


if __name__ == "__main__":
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        sys.exit(__doc__)
    target = sys.argv[1] if len(sys.argv) > 1 else "datasets/faces"
    drawn = draw_faces(target, progress=progress_bar("person"))
    print(f"{drawn} pictures in {target}\nnext: python train.py --train_own_data --dataset_path={target}")
