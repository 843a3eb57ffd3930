"""Photos are read by the real reader: marks turned and blurred, photos without any, and files that are none."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from tests.parcels.photos.pictures import parcel

from parcelward.base.errors import Invalid
from parcelward.parcels.photos.pictures import PHOTO_BYTES_MAX, SIDE_READ, opened
from parcelward.parcels.photos.reading import marks_on

LITHIUM = ("UN3480", "LITHIUM ION BATTERIES", "FORBIDDEN FOR TRANSPORT ABOARD", "PASSENGER AIRCRAFT")


@pytest.mark.parametrize(
    ("lines", "seen", "wanted"),
    [
        (LITHIUM, {}, {"UN3480", "lithium", "no_aircraft"}),
        (LITHIUM, {"turned": 12}, {"UN3480", "lithium"}),
        (LITHIUM, {"turned": 90}, {"UN3480"}),
        (LITHIUM, {"turned": 180}, {"UN3480", "lithium"}),
        (LITHIUM, {"turned": 270, "blurred": 1.5}, {"UN3480"}),
        (LITHIUM, {"blurred": 3}, {"UN3480", "lithium"}),
        (("FLAMMABLE LIQUID", "3", "UN1266"), {"turned": -8, "blurred": 2}, {"3", "UN1266"}),
        (("LTD QTY", "UN1950"), {"size": 30}, {"limited", "UN1950"}),
    ],
)
def test_marks_are_read_turned_and_blurred(lines: tuple[str, ...], seen: dict[str, float], wanted: set[str]) -> None:
    assert wanted <= set(marks_on(parcel(*lines, **seen)))


@pytest.mark.parametrize(
    "lines",
    [
        ("Anna Example", "12 Corner Street", "48000 Bilbao"),
        ("FRAGILE", "THIS SIDE UP", "2 kg"),
        ("RM 123 456 785 ES", "Order 1266 of 3480"),
        ("Baby blanket", "100 % cotton", "non-toxic dye"),
        (),
    ],
)
def test_a_photo_without_marks_names_none(lines: tuple[str, ...]) -> None:
    assert marks_on(parcel(*lines)) == ()


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that claims to be enormous."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def moving() -> bytes:
    sent = io.BytesIO()
    first = Image.new("RGB", (40, 40), "white")
    first.save(sent, "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 40), "black")])
    return sent.getvalue()


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (b"", "no_photo"),
        (b"x" * (PHOTO_BYTES_MAX + 1), "photo_too_large"),
        (bomb(30_000), "photo_too_large"),
        (bomb(65_000), "photo_too_large"),
        (bomb(400), "bad_photo"),  # it ends too soon
        (b"GIF89a" + bytes(40), "bad_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "bad_photo"),
        (b"%PDF-1.7", "bad_photo"),
        (moving(), "photo_too_large"),
    ],
)
def test_what_is_no_photo_is_refused_before_it_is_unpacked(photo: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        opened(photo)
    assert caught.value.code == code


def test_a_photo_is_made_small_and_says_nothing_of_where_it_was_taken() -> None:
    taken = Image.new("RGB", (4000, 3000), "white")
    exif = taken.getexif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x8825] = {1: "N", 2: (43.0, 15.0, 0.0)}
    sent = io.BytesIO()
    taken.save(sent, "JPEG", exif=exif)
    small = opened(sent.getvalue())
    assert max(small.size) <= SIDE_READ
    assert small.size[1] > small.size[0]  # upright
    assert not small.getexif().get(0x8825)
