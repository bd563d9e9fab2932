"""What a quick look overlooks: small print on a large page, a flat mark in another colour, a thin line that was cut
off, and pictures that are long strips."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_images

from tasks.copies.proof.seen import Seen, smaller
from tasks.copies.proof.verdict import CHANGED, COPY, prove


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """A photograph, 640 pixels wide."""
    return Image.fromarray(load_sample_images().images[0])


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def table(changed: str = "", height: int = 13) -> Image.Image:
    """A page of 2 000 x 1 500 pixels with numbers in small print; `changed` stands in place of one of them."""
    rng, picture = np.random.default_rng(4), Image.new("RGB", (2000, 1500), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(height)
    for y in range(40, 1460, 28):
        for x in range(40, 1950, 120):
            number = f"{rng.integers(100_000, 999_999) / 100:.2f}"
            pen.text((x, y), changed if changed and (x, y) == (760, 600) else number, font=font, fill="black")
    return picture


@pytest.mark.parametrize("height, quality", [(13, 0), (18, 90)])
def test_one_digit_in_small_print_on_a_large_page(height, quality):
    before, after = table("6234.56", height), table("8234.56", height)
    after = compressed(after, quality) if quality else after
    proof = prove(Seen(before), Seen(after))
    assert proof.verdict == CHANGED and not proof.identical
    (place,) = proof.places
    assert 755 <= place.a[0] and place.a[2] <= 785 and 595 <= place.a[1] and place.a[3] <= 620, place
    assert "less than 0.1%" in proof.in_words()


def test_a_large_page_is_still_a_copy_however_it_was_saved():
    for other in (compressed(table(), 60), table().resize((1700, 1275), Image.Resampling.LANCZOS)):
        proof = prove(Seen(table()), Seen(other))
        assert proof.verdict == COPY, proof.in_words()


def test_pages_of_one_layout_with_other_numbers_are_no_copies():
    rng, pages = np.random.default_rng(9), []
    for _ in range(2):
        picture = Image.new("RGB", (1700, 2200), "white")
        pen, font = ImageDraw.Draw(picture), ImageFont.load_default(18)
        for y in range(60, 2140, 30):
            for x in range(60, 1600, 200):
                pen.text((x, y), f"{rng.integers(10_000, 99_999)}.{rng.integers(10, 99)}", font=font, fill="black")
        pages.append(Seen(picture))
    assert prove(*pages).verdict != COPY


def plan(*marks: tuple[int, tuple[int, int, int]]) -> Image.Image:
    """A plan of 24 green seats; `marks`: seats in another colour."""
    picture, colours = Image.new("RGB", (900, 600), "white"), dict(marks)
    pen = ImageDraw.Draw(picture)
    for seat in range(24):
        x, y = 80 + 130 * (seat % 6), 80 + 120 * (seat // 6)
        pen.rectangle((x, y, x + 34, y + 34), fill=colours.get(seat, (60, 170, 80)), outline=(30, 30, 30))
        pen.text((x + 8, y + 44), str(seat + 1), fill="black", font=ImageFont.load_default(14))
    return picture


@pytest.mark.parametrize("quality", [0, 80])
@pytest.mark.parametrize("colour", [(30, 30, 30), (220, 60, 50), (130, 130, 130), (170, 60, 170)])
def test_a_flat_thing_in_another_colour_is_a_change(colour, quality):
    after = plan((9, colour))
    proof = prove(Seen(plan()), Seen(compressed(after, quality) if quality else after))
    assert proof.verdict == CHANGED, proof.in_words()
    x, y = 80 + 130 * 3, 80 + 120
    left, top, right, bottom = proof.places[0].a
    assert left < x + 30 and right > x and top < y + 30 and bottom > y
    assert prove(Seen(plan()), Seen(compressed(plan(), 80))).verdict == COPY


def test_a_line_that_was_marked_in_yellow_is_a_change():
    before = table().crop((0, 0, 1000, 900))
    values = np.array(before)
    values[398:416, 40:400, 2] = values[398:416, 40:400, 2] // 3
    proof = prove(Seen(before), Seen(Image.fromarray(values)))
    assert proof.verdict == CHANGED and len(proof.places) == 1, proof.in_words()


def test_a_day_of_another_colour_does_not_make_a_calendar_another_one():
    """Only the rim of an even thing is seen to differ; what lies within it must not count as unlike."""
    pictures = []
    for colour in ((150, 210, 150), (200, 40, 40)):
        picture = Image.new("RGB", (700, 600), "white")
        pen = ImageDraw.Draw(picture)
        for day in range(30):
            x, y = 10 + 97 * (day % 7), 20 + 112 * (day // 7)
            pen.rectangle((x, y, x + 92, y + 105), fill=colour if day == 16 else "white", outline="black")
            pen.text((x + 8, y + 6), str(day + 1), fill="black", font=ImageFont.load_default(18))
        pictures.append(Seen(picture))
    proof = prove(*pictures)
    assert proof.verdict == CHANGED and len(proof.places) == 1, proof.in_words()


def test_a_thin_line_that_was_cut_off_is_not_held(photo):
    whole = Image.new("RGB", (640, 480))
    whole.paste(photo.resize((640, 480)))
    ImageDraw.Draw(whole).text((10, 470), "12:45  Monday 3 May 2024", fill="white", font=ImageFont.load_default(9))
    proof = prove(Seen(whole), Seen(whole.crop((0, 0, 640, 471)).resize((1280, 942), Image.Resampling.BICUBIC)))
    assert (proof.verdict, proof.holds) == (COPY, (True, False))


@pytest.mark.parametrize("degrees, paint", [(2, "black"), (2.5, "white")])
def test_corners_that_a_turn_lost_are_not_held(photo, degrees, paint):
    turned = photo.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=paint)
    proof = prove(Seen(photo), Seen(turned))
    assert (proof.verdict, proof.holds) == (COPY, (True, False))


def test_long_strips_are_looked_at_with_enough_pixels(photo):
    strip = Image.new("RGB", (6400, 200))
    for number in range(10):
        strip.paste(photo.crop((0, 20 * number, 640, 20 * number + 200)), (640 * number, 0))
    assert smaller(strip, 1024).size == (4096, 128) and smaller(photo, 64).size == (64, 43)
    for one, other in ((strip, compressed(strip, 85)), (strip.rotate(90, expand=True),
                                                        compressed(strip.rotate(90, expand=True), 85))):
        assert prove(Seen(one), Seen(other)).verdict == COPY
