"""LightGBM's own fast path for one row, which its Python package does not show (docs/decisions/0030).

`Booster.predict` checks, converts and allocates for 400 microseconds around a walk that takes ten. The C interface has
`LGBM_BoosterPredictForMatSingleRowFast` for this: everything is made ready once. It is asked for the leaves, not for
their sum: the sum is a table away, and so is why (paths.py).
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Sequence
from typing import Final

import lightgbm
import numpy as np
from lightgbm.libpath import _LIB
from numpy.typing import NDArray

# include/LightGBM/c_api.h
FLOAT64: Final = 1
RAW_SCORE: Final = 1
LEAF_INDEX: Final = 2
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"


class SingleRow:
    """One row after the other, for any number of threads; `kind` is what is asked: RAW_SCORE or LEAF_INDEX."""

    def __init__(self, booster: lightgbm.Booster, kind: int = LEAF_INDEX) -> None:
        self._booster = booster  # the handle below points into it
        self._row = np.zeros(booster.num_feature())
        self._out = np.zeros(booster.num_trees() if kind == LEAF_INDEX else 1)
        self._lock = threading.Lock()
        handle = ctypes.c_void_p()
        code = _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
            ctypes.c_void_p(booster._handle.value),  # noqa: SLF001 -- the package has no other way to it
            ctypes.c_int(kind),
            ctypes.c_int(0),  # from the first tree
            ctypes.c_int(-1),  # to the last
            ctypes.c_int(FLOAT64),
            ctypes.c_int32(len(self._row)),
            ctypes.c_char_p(_PARAMETERS),
            ctypes.byref(handle),
        )
        _check(code)
        weakref.finalize(self, _LIB.LGBM_FastConfigFree, handle)
        self._length = ctypes.c_int64()
        self._arguments = (
            handle,
            ctypes.c_void_p(self._row.ctypes.data),
            ctypes.byref(self._length),
            ctypes.c_void_p(self._out.ctypes.data),
        )
        self._ask = _LIB.LGBM_BoosterPredictForMatSingleRowFast

    def of(self, row: Sequence[float | None]) -> NDArray[np.float64]:
        """Return what the trees say of a row; None is unknown."""
        with self._lock:
            self._row[:] = row  # None becomes NaN
            _check(self._ask(*self._arguments))
            return self._out.copy()


def _check(code: int) -> None:
    if code:
        raise RuntimeError(f"LightGBM: {_LIB.LGBM_GetLastError().decode(errors='replace')}")
