"""Copies are proved, with the map that copying made; what differs is found where it is; and nothing else is called a
copy."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps
from sklearn.datasets import load_sample_images

from tasks.copies.measure import KINDS
from tasks.copies.proof import keeping
from tasks.copies.proof.seen import Seen
from tasks.copies.proof.verdict import CHANGED, COPY, DIFFERENT, prove
from tasks.similarity.answer import key_of
from utils.keypoints.geometry import transfer

WRITTEN_ON = {"line of text", "logo"}


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    """Two photographs, 400 pixels wide."""
    return [Image.fromarray(values).resize((400, 267), Image.Resampling.LANCZOS)
            for values in load_sample_images().images]


def page(seed: int, change: tuple[int, int, str] | None = None) -> Image.Image:
    """A page of lines of digits that the seed draws; `change`: line, place and character that stands there instead."""
    rng, picture = np.random.default_rng(seed), Image.new("RGB", (420, 560), (250, 250, 246))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    for line in range(18):
        text = "".join(str(digit) for digit in rng.integers(0, 10, 24))
        for place, character in enumerate(text):
            if change and change[:2] == (line, place):
                character = change[2]
            pen.text((30 + 14 * place, 30 + 28 * line), character, fill=(20, 20, 40), font=font)
    return picture


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def overlap(a, b) -> float:
    """Intersection over union of two boxes."""
    width, height = (min(a[end], b[end]) - max(a[end - 2], b[end - 2]) for end in (2, 3))
    if min(width, height) <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_every_kind(photos, kind):
    (function, amount), number = KINDS[kind], list(KINDS).index(kind) % 2
    proof = prove(Seen(photos[number]), Seen(function(photos[number], amount, np.random.default_rng(number))))
    assert proof.verdict == (CHANGED if kind in WRITTEN_ON else COPY), proof
    assert bool(proof.places) == (kind in WRITTEN_ON)


def test_the_map_is_the_one_that_was_made(photos):
    photo = photos[0]
    copy = photo.crop((90, 40, 330, 220)).resize((360, 270), Image.Resampling.LANCZOS)
    proof = prove(Seen(photo), Seen(copy))
    found = transfer(proof.matrix, np.array([[90, 40], [330, 220.0]]))
    assert np.abs(found - [[0, 0], [360, 270]]).max() < 1
    assert proof.holds == (True, False)
    whole, part = proof.parts()
    assert np.abs(whole - [[90, 40], [330, 40], [330, 220], [90, 220]]).max() < 2 and part is None
    assert proof.shares[1] == 1 and abs(proof.shares[0] - 240 * 180 / (400 * 267)) < 0.05
    back = prove(Seen(copy), Seen(photo))
    assert np.abs(transfer(back.matrix, found) - [[90, 40], [330, 220]]).max() < 1 and back.holds == (False, True)


def test_turned_and_mirrored(photos):
    photo = photos[1]
    for turn in list(Image.Transpose):
        proof = prove(Seen(photo), Seen(photo.transpose(turn)))
        assert proof.verdict == COPY and proof.holds == (True, True), turn


def test_one_character_is_found():
    for seed in range(6):
        rng = np.random.default_rng(seed + 100)
        line, place = int(rng.integers(18)), int(rng.integers(24))
        before, after = page(seed), page(seed, (line, place, "W"))
        left, top = 30 + 14 * place, 30 + 28 * line
        for other in (after, compressed(after, 60)):
            proof = prove(Seen(before), Seen(other))
            assert proof.verdict == CHANGED
            assert max(overlap(found.a, (left, top + 2, left + 14, top + 16)) for found in proof.places) > 0.3


def test_pages_of_one_layout_are_no_copies():
    assert prove(Seen(page(1)), Seen(page(2))).verdict != COPY
    assert prove(Seen(page(1)), Seen(compressed(page(1), 30))).verdict == COPY


def test_a_part_that_was_replaced(photos):
    photo, other = photos
    changed = photo.copy()
    changed.paste(other.crop((150, 100, 210, 145)), (230, 120))
    proof = prove(Seen(photo), Seen(compressed(changed, 70)))
    assert proof.verdict == CHANGED and overlap(proof.places[0].a, (230, 120, 290, 165)) > 0.3
    assert 0.005 < proof.differing < 0.08


@pytest.mark.parametrize("number", [0, 1])
def test_where_all_other_pixels_are_the_same_the_changes_alone_are_framed(photos, number):
    """The map is the identity to the last digit, so that no edge differs by a hundredth of a pixel."""
    changed, boxes = photos[number].copy(), [(0, 0), (372, 120), (180, 239), (190, 110)]
    for left, top in boxes:
        ImageDraw.Draw(changed).ellipse((left, top, left + 27, top + 27), fill=(255, 0, 90))
    proof = prove(Seen(photos[number]), Seen(changed))
    assert proof.verdict == CHANGED and np.array_equal(proof.matrix, np.eye(3)) and len(proof.places) == len(boxes)
    for left, top in boxes:
        assert max(overlap(place.a, (left, top, left + 28, top + 28)) for place in proof.places) > 0.6


@pytest.mark.parametrize("ink", ["black", "white", (128, 128, 128)])
@pytest.mark.parametrize("quality", [0, 75])
def test_a_bar_laid_over_a_part_is_framed_and_nothing_around_it(photos, ink, quality):
    """Black and white are the ends of the tones, and no light; and what lies beside a strong change has not changed."""
    for photo, (left, top) in zip(photos, ((20, 20), (300, 200))):
        changed = photo.copy()
        ImageDraw.Draw(changed).rectangle((left, top, left + 69, top + 39), fill=ink)
        proof = prove(Seen(photo), Seen(compressed(changed, quality) if quality else changed))
        assert proof.verdict == CHANGED and len(proof.places) == 1
        assert overlap(proof.places[0].a, (left, top, left + 70, top + 40)) > 0.6


def test_unlike_pictures(photos):
    proof = prove(Seen(photos[0]), Seen(photos[1]))
    assert proof.verdict == DIFFERENT and proof.why
    noise = [Image.fromarray(np.random.default_rng(seed).integers(0, 255, (120, 160, 3)).astype("uint8"))
             for seed in (0, 1)]
    assert prove(*map(Seen, noise)).verdict == DIFFERENT


def test_pictures_without_content():
    red, blue = Image.new("RGB", (64, 36), (220, 20, 20)), Image.new("RGB", (64, 36), (0, 0, 254))
    slope = Image.fromarray(np.tile(np.linspace(0, 255, 300).astype("uint8"), (200, 1)))
    assert prove(Seen(red), Seen(blue)).verdict == DIFFERENT
    assert prove(Seen(slope), Seen(slope.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).verdict == DIFFERENT
    assert prove(Seen(red), Seen(red.copy())).identical


def test_what_is_kept(photos, tmp_path):
    photo = photos[0]
    width, height = photo.size
    small = photo.reduce(8).resize(photo.size, Image.Resampling.BICUBIC)
    others = {"enlarged.png": small,
              "large.png": photo.resize((width // 3, height // 3)).resize((2 * width, 2 * height)),
              "trimmed.png": photo.crop((0, 0, width - 4, height)),
              "half.png": photo.resize((width // 2, height // 2)),
              "crop.png": photo.crop((40, 30, width - 40, height - 30))}
    boxed = Image.new("RGB", (width, height + 120))
    boxed.paste(photo, (0, 60))
    others |= {"boxed.png": boxed, "jpeg.jpg": compressed(photo, 30)}
    original = str(tmp_path / "original.png")
    photo.save(original)
    for name, other in others.items():
        other.save(tmp_path / name)
        files, seen = (original, str(tmp_path / name)), (Seen(photo), Seen(other))
        proof = prove(*seen)
        assert proof.verdict == COPY, name
        assert keeping.better(files, seen, proof), name
        assert not keeping.better(files[::-1], seen[::-1], proof.turned()), name


def shirt(colour, shape=0):
    """A product photo: one cut in a colour, with seams and buttons, on white."""
    picture, mask = Image.new("RGB", (300, 330), (246, 246, 246)), Image.new("L", (300, 330), 0)
    ImageDraw.Draw(mask).polygon([(90, 30), (180, 45), (210, 30), (280, 80), (230, 110), (225, 310), (75 + shape, 310),
                                  (75, 110), (20, 80)], fill=255)
    folds = Image.fromarray(np.random.default_rng(0).integers(0, 255, (14, 12), "uint8")).resize(
        picture.size, Image.Resampling.BICUBIC)
    shade = np.array(colour) * (1 + 0.3 * (np.asarray(folds, float)[..., None] / 127 - 1)) + 6
    picture.paste(Image.fromarray(shade.clip(0, 255).astype("uint8")), (0, 0), mask)
    pen = ImageDraw.Draw(picture)
    for y in range(70, 300, 40):
        pen.ellipse((145, y, 155, y + 10), fill=(230, 230, 230))
    pen.rectangle((170, 110, 200, 140), outline=(230, 230, 230), width=3)
    return picture


BLACK, BLUE, GREEN, RED = (36, 36, 38), (40, 70, 170), (40, 130, 70), (190, 40, 50)
GREY, NAVY, DARK_GREEN = (120, 120, 122), (25, 30, 75), (20, 50, 30)


@pytest.mark.parametrize("one, other", [(BLACK, BLUE), (BLUE, GREEN), (GREEN, BLACK), (RED, BLUE), (BLACK, RED),
                                        (RED, GREY), (BLUE, GREY), (NAVY, DARK_GREEN), (RED, DARK_GREEN)])
def test_one_cut_in_two_colours_is_said_to_have_other_colours(one, other):
    a, b = Seen(shirt(one)), Seen(shirt(other).resize((280, 308)))
    proof = prove(a, b)
    assert proof.verdict in (COPY, CHANGED) and proof.other_colour and "other colour" in proof.in_words()
    assert proof.as_numbers()["other_colour"] and proof.turned().other_colour
    refused = prove(a, b, recoloured=False)
    assert refused.verdict == DIFFERENT and refused.in_words() == "different (other colour)"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("grey", "colour cast")])
def test_light_and_all_else_that_copying_does_is_no_other_colour(photos, kind):
    (function, amount), number = KINDS[kind], list(KINDS).index(kind) % 2
    proof = prove(Seen(photos[number]), Seen(function(photos[number], amount, np.random.default_rng(number))),
                  recoloured=False)
    assert proof.verdict != DIFFERENT and not proof.other_colour


def test_one_shirt_in_another_light_has_no_other_colour(photos):
    for colour in (BLACK, BLUE, GREEN, RED):
        dim = Image.fromarray((np.asarray(shirt(colour), float) * 0.8).astype("uint8"))
        assert not prove(Seen(shirt(colour)), Seen(compressed(dim, 60))).other_colour
    for photo in photos:  # with red and blue exchanged
        proof = prove(Seen(photo), Seen(Image.merge("RGB", photo.split()[::-1])))
        assert proof.other_colour or proof.verdict == DIFFERENT


def test_dark_photos_with_one_mark_are_different_and_a_copy_of_one_is_a_copy():
    """The mark is all that is clearly seen of them, and all that there is on an empty page with it."""
    def marked(picture):
        ImageDraw.Draw(picture).text((10, 320), "NOTE 8\nAI CAMERA", font=ImageFont.load_default(14), fill="grey")
        return picture

    palace, flower = load_sample_images().images
    dark = [marked(Image.fromarray((part * 0.04).astype("uint8")).resize((480, 360)))
            for part in (palace[:240, :320], palace[187:, 160:480], palace[187:, 320:], flower[187:, :320])]
    for one, other in itertools.combinations(dark, 2):
        assert prove(Seen(one), Seen(other)).verdict == DIFFERENT
    assert "in a small part alone" in prove(Seen(dark[0]), Seen(dark[1])).why
    for picture in (*dark, marked(Image.new("RGB", (480, 360)))):
        assert prove(Seen(picture), Seen(compressed(picture, 40))).verdict == COPY


def test_a_thumbnail_of_few_pixels_is_said_to_have_too_few(photos):
    proof = prove(Seen(photos[0]), Seen(photos[0].resize((24, 16))))
    assert proof.verdict == DIFFERENT and proof.why == "24 x 16 pixels are too few to prove a copy"


def test_the_figure_says_what_its_frames_mean(photos):
    whole, (width, height) = photos[0], photos[0].size
    written = whole.copy()
    ImageDraw.Draw(written).rectangle((20, 20, 90, 60), fill="black")
    proofs = [prove(Seen(whole), Seen(other)) for other in (
        whole.resize((width // 2, height // 2)), whole.crop((10, 10, width * 3 // 4, height * 3 // 4)), written)]
    assert [key_of(proof) for proof in proofs] == [
        "", ". Blue frame: what the other one shows", ". Red frames: what differs"]


@pytest.mark.parametrize("height, ink", [(12, 140), (26, 205)])
def test_a_word_on_a_border_is_more_than_one_colour(photos, height, ink):
    framed = ImageOps.expand(photos[0], 50, "white")
    noisy = np.asarray(framed, "int16") + np.random.default_rng(0).integers(-4, 5, (*framed.size[::-1], 3))
    plain = Seen(Image.fromarray(np.clip(noisy, 0, 255).astype("uint8")))
    ImageDraw.Draw(framed).text((60, 12), "Rome, 1987", font=ImageFont.load_default(height), fill=(ink,) * 3)
    alone = Seen(photos[0])
    for border, held in ((plain, True), (Seen(framed), False)):
        proof = prove(alone, border)
        assert (proof.verdict, proof.holds) == (COPY, (held, True))


def test_what_is_another_thing_has_no_share_that_differs(photos):
    numbers = prove(Seen(photos[0]), Seen(photos[1])).as_numbers()
    assert numbers["verdict"] == DIFFERENT and numbers["differing"] is None
    assert prove(Seen(photos[0]), Seen(photos[0])).as_numbers()["differing"] == 0


def test_a_mirror_image_is_none_where_nobody_wants_it(photos):
    mirrored = Seen(photos[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert prove(Seen(photos[0]), mirrored).verdict == COPY
    assert prove(Seen(photos[0]), mirrored, mirrored=False).verdict == DIFFERENT
    assert prove(Seen(photos[0]), Seen(photos[0].resize((400, 260))), mirrored=False).verdict == COPY
