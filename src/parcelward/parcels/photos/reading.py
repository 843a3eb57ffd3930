"""Read the text on a photo with RapidOCR, whose models lie in its package. The extra `photos` installs it.

One photo is read at a time in each process: it takes a second or more of a core.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import threading
from typing import Any, Final

import numpy as np

from parcelward.base.errors import Busy, Conflict
from parcelward.parcels.photos.marks import marks
from parcelward.parcels.photos.pictures import opened, require_photo

WAIT_S: Final = 20.0
SURE_FROM: Final = 0.6  # what the reader is less sure of is noise

_one_at_a_time = threading.Lock()


def available() -> bool:
    """Return whether photos can be read here."""
    return importlib.util.find_spec("rapidocr") is not None and importlib.util.find_spec("onnxruntime") is not None


@functools.cache
def _reader() -> Any:
    from rapidocr import RapidOCR  # noqa: PLC0415 -- an extra: not everybody has it, and it takes seconds

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}
    faint = {"Det.box_thresh": 0.3, "Det.thresh": 0.2}  # small letters count; what is noise is no mark
    return RapidOCR(params={"Global.log_level": "error"} | threads | faint)


def marks_on(photo: bytes) -> tuple[str, ...]:
    """Return the marks of dangerous goods on a photo. The text itself goes nowhere: it may be somebody's address.

    Raises Invalid for what is no photo, Conflict where photos cannot be read here, Busy where too many wait.
    """
    require_photo(photo)
    if not available():
        raise Conflict("Photos are not read here: the extra `photos` is not installed", code="no_reader")
    if not _one_at_a_time.acquire(timeout=WAIT_S):
        raise Busy("Too many photos wait to be read. Try again", retry_after_s=int(WAIT_S))
    try:
        picture = opened(photo)  # behind the lock: unpacked, it can be a hundred times as large
        found = marks(_lines(picture))
        return found or marks(_lines(picture.rotate(90, expand=True)))
    finally:
        _one_at_a_time.release()


def _lines(picture: Any) -> list[str]:
    read = _reader()(np.asarray(picture)[:, :, ::-1])
    return [text for text, sure in zip(read.txts or (), read.scores or (), strict=True) if sure >= SURE_FROM]
