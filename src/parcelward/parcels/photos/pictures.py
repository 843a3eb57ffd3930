"""A photo as it was sent: looked at before it is unpacked, upright, small, and without what else its file says."""

from __future__ import annotations

import io
import warnings
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError

from parcelward.base.errors import Invalid

PHOTO_BYTES_MAX: Final = 2_097_152  # as of every body; the page makes what a telephone takes small
PHOTO_PIXELS_MAX: Final = 50_000_000  # what a telephone takes; a small file can claim any number
SIDE_READ: Final = 1600  # a mark is read as well at this size
FORMATS: Final = ("JPEG", "PNG", "WEBP")


def opened(photo: bytes) -> Any:
    """Return a photo as an RGB picture of at most SIDE_READ. Raises Invalid for what is none, or too large."""
    require_photo(photo)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is narrower
            picture = Image.open(io.BytesIO(photo), formats=FORMATS)
        wide, high = picture.size
        if wide * high > PHOTO_PIXELS_MAX or getattr(picture, "n_frames", 1) != 1:
            raise _too_large()
        picture.draft("RGB", (SIDE_READ, SIDE_READ))  # a JPEG is unpacked at a fraction of its size
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((SIDE_READ, SIDE_READ))
        colours = upright.convert("RGB")
    except Image.DecompressionBombError:
        raise _too_large() from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as broken:
        raise Invalid("This is no photo that can be read: send a JPEG, PNG or WebP", code="bad_photo") from broken
    clean = Image.new("RGB", colours.size)  # without where and by what it was taken
    clean.paste(colours)
    return clean


def require_photo(photo: bytes) -> None:
    """Raise Invalid for nothing, and for more than a photo has."""
    if not photo:
        raise Invalid("Take a photo first", code="no_photo")
    if len(photo) > PHOTO_BYTES_MAX:
        raise Invalid(f"A photo has at most {PHOTO_BYTES_MAX} bytes", code="photo_too_large")


def _too_large() -> Invalid:
    return Invalid("This picture is too large to be a photo of a parcel", code="photo_too_large")
