"""A label's QR code: version 13, alphanumeric, the same modules on every printer.

The `qrcode` library gives the pattern that stands still; what changes with the text is worked out here, in a hundredth
of the time: nobody waits for a label (ISO/IEC 18004, clauses 7.4 to 7.8). The tests compare both, module for module.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from qrcode.base import gexp, glog, rs_blocks
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import mask_func

VERSION: Final = 13  # 69 modules; with 4 dots each and the quiet zone 38.5 mm, and 14 would be wider than 40 mm
SIDE: Final = 17 + 4 * VERSION
QUIET: Final = 4  # modules on each side
LETTERS_MAX: Final = {ERROR_CORRECT_M: 483, ERROR_CORRECT_L: 619}
"""What version 13 holds; the better correction where it fits."""
MASK: Final = 3
"""One mask for all. The standard weighs eight, so that no text gives large plain areas; here the text is ciphertext,
which no mask makes plainer than another. The number stands in the code, and every reader takes it from there."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_ONE: Final = {letter: f"{value:06b}" for value, letter in enumerate(_ALPHABET)}
_TWO: Final = {
    a + b: f"{45 * first + second:011b}"
    for (first, a), (second, b) in itertools.product(enumerate(_ALPHABET), repeat=2)
}
_MODE: Final = "0010"  # alphanumeric
_COUNT_BITS: Final = 11  # of versions 10 to 26
_PAD: Final = "1110110000010001"
_BYTE: Final = 8


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is the same in every code of one error correction."""

    blocks: tuple[tuple[int, int], ...]  # where each block's data begin and end
    check_bytes: int  # of each block
    remainders: tuple[int, ...]  # of a byte times x^check_bytes by the generator
    pick: Callable[[str], tuple[str, ...]]  # from data bits, check bits, "0", "1" the modules, row by row
    mask: int


def rows(text: str) -> tuple[str, ...]:
    """Return the code's rows from the top, each of SIDE letters, 1 for black. Raises ValueError for what is too long.

    `text` has letters of QR's alphanumeric set alone (KeyError for another).
    """
    level = next((level for level, most in LETTERS_MAX.items() if len(text) <= most), None)
    if level is None:
        raise ValueError("more letters than a label's code holds")
    frame = _frame(level)
    data = _data(text, frame.blocks[-1][1])
    size, top = frame.check_bytes, _BYTE * (frame.check_bytes - 1)
    checks = []
    for start, end in frame.blocks:
        left = 0
        for byte in data[start:end]:
            left = ((left & ((1 << top) - 1)) << _BYTE) ^ frame.remainders[(left >> top) ^ byte]
        checks.append(f"{left:0{_BYTE * size}b}")
    bits = f"{int.from_bytes(data, 'big'):0{_BYTE * len(data)}b}" + "".join(checks) + "01"
    modules = f"{int(''.join(frame.pick(bits)), 2) ^ frame.mask:0{SIDE * SIDE}b}"
    return tuple(modules[at : at + SIDE] for at in range(0, SIDE * SIDE, SIDE))


def _data(text: str, size: int) -> bytes:
    pairs = "".join([_TWO[text[at : at + 2]] for at in range(0, len(text) - 1, 2)])
    last = _ONE[text[-1]] if len(text) % 2 else ""
    bits = f"{_MODE}{len(text):0{_COUNT_BITS}b}{pairs}{last}"
    bits += "0" * min(4, size * _BYTE - len(bits))
    bits += "0" * (-len(bits) % _BYTE)
    bits += (_PAD * size)[: size * _BYTE - len(bits)]
    return int(bits, 2).to_bytes(size, "big")


@functools.cache
def _frame(level: int) -> _Frame:
    blocks = rs_blocks(VERSION, level)
    ends = list(itertools.accumulate(block.data_count for block in blocks))
    spans = tuple(zip([0, *ends], ends, strict=False))
    size = blocks[0].total_count - blocks[0].data_count
    still = _standing_still(level)
    order = iter(_order(spans, size))
    zero = (ends[-1] + size * len(blocks)) * _BYTE
    places, mask = {}, 0
    for row, column in _way(still):
        places[row, column] = next(order)
    invert = mask_func(MASK)
    picked = []
    for row, column in itertools.product(range(SIDE), repeat=2):
        mask <<= 1
        if (row, column) in places:
            picked.append(places[row, column])
            mask |= bool(invert(row, column))
        else:
            picked.append(zero + bool(still[row][column]))
    return _Frame(spans, size, _remainders(size), itemgetter(*picked), mask)


def _standing_still(level: int) -> Sequence[Sequence[bool | None]]:
    """Return the modules that no text changes; None for the others."""
    code = QRCode(version=VERSION, error_correction=level, border=0)
    code.data_cache = []
    code.modules_count = SIDE
    code.modules = [[None] * SIDE for _ in range(SIDE)]
    code.setup_position_probe_pattern(0, 0)
    code.setup_position_probe_pattern(SIDE - 7, 0)
    code.setup_position_probe_pattern(0, SIDE - 7)
    code.setup_position_adjust_pattern()
    code.setup_timing_pattern()
    code.setup_type_info(False, MASK)
    code.setup_type_number(False)
    still: Sequence[Sequence[bool | None]] = code.modules
    return still


def _way(still: Sequence[Sequence[bool | None]]) -> list[tuple[int, int]]:
    """Return the free modules in the order in which bits go: two columns at a time from the right, up and down."""
    found, upwards = [], True
    for right in (column - (column <= 6) for column in range(SIDE - 1, 0, -2)):  # noqa: PLR2004 -- column 6 is timing
        for row in range(SIDE - 1, -1, -1) if upwards else range(SIDE):
            found += [(row, column) for column in (right, right - 1) if still[row][column] is None]
        upwards = not upwards
    return found


def _order(spans: Sequence[tuple[int, int]], size: int) -> list[int]:
    """Return, for each bit as it is placed, where it stands in the data followed by the blocks' check bytes."""
    longest = max(end - start for start, end in spans)
    placed = [start + nth for nth in range(longest) for start, end in spans if start + nth < end]
    first = spans[-1][1]
    placed += [first + block * size + nth for nth in range(size) for block in range(len(spans))]
    return [byte * _BYTE + bit for byte in placed for bit in range(_BYTE)]


def _remainders(size: int) -> tuple[int, ...]:
    generator = [1]
    for power in range(size):  # times (x + alpha^power)
        root = gexp(power)
        generator = [a ^ _times(b, root) for a, b in zip([*generator, 0], [0, *generator], strict=True)]
    return tuple(int.from_bytes(bytes(_times(c, byte) for c in generator[1:]), "big") for byte in range(256))


def _times(a: int, b: int) -> int:
    return gexp((glog(a) + glog(b)) % 255) if a and b else 0
