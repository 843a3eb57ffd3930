"""Where the machine has no OpenMP, LightGBM cannot be loaded: these tests are skipped, and say so."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import NoReturn

import pytest


class WithoutOpenMP(pytest.Module):
    """A file whose tests cannot run here."""

    def collect(self) -> NoReturn:
        pytest.skip("no libgomp.so.1: as root, `apt-get install libgomp1` brings it", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return WithoutOpenMP.from_parent(parent, path=module_path)
    return None
