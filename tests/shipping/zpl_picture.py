"""What a label printer makes of our ZPL: a rasteriser for exactly the commands that we send, and no other.

No library renders ZPL without a network. This one knows nothing of the product: it reads the bytes, as a printer does,
and fails for a command that a printer might know and we never meant to send. Its letters are not the printer's.
"""

from __future__ import annotations

import re

from PIL import Image, ImageDraw, ImageFont
from reportlab.graphics.barcode.code128 import _patterns

_COMMAND = re.compile(rb"\^(A0|[A-Z]{2})([^^~]*)")
_SWITCHES = {">:": (104, False), ">;": (105, True), ">6": (100, False), ">5": (99, True), ">8": (102, None)}


def commands(zpl: bytes) -> list[tuple[str, str]]:
    """Return (name, parameters) of every command; nothing may stand between."""
    assert b"~" not in zpl
    found = _COMMAND.findall(zpl)
    assert b"".join(b"^" + name + rest for name, rest in found) == zpl
    return [(name.decode(), rest.decode("ascii").rstrip("\n")) for name, rest in found]


class Printer:
    def __init__(self) -> None:
        self.paper = Image.new("L", (832, 1300), 255)
        self.draw = ImageDraw.Draw(self.paper)
        self.home = self.at = (0, 0)
        self.size = (0, 0)
        self.module = 2
        self.baseline = self.hexed = False
        self.bars = 0
        self.words: list[str] = []
        self.what = ""

    def run(self, zpl: bytes) -> Image.Image:
        said = commands(zpl)
        assert said[0] == ("XA", "")
        assert said[-1] == ("XZ", "")
        for name, rest in said[1:-1]:
            getattr(self, f"on_{name.lower()}")(rest)
        return self.paper

    def on_ci(self, rest: str) -> None:
        assert rest == "28", "UTF-8"

    def on_pw(self, rest: str) -> None:
        self.paper = self.paper.crop((0, 0, int(rest), self.paper.height))
        self.draw = ImageDraw.Draw(self.paper)

    def on_ll(self, rest: str) -> None:
        self.paper = self.paper.crop((0, 0, self.paper.width, int(rest)))
        self.draw = ImageDraw.Draw(self.paper)

    def on_lh(self, rest: str) -> None:
        x, y = rest.split(",")
        self.home = int(x), int(y)

    def on_ls(self, rest: str) -> None:
        assert rest == "0"

    def on_pq(self, rest: str) -> None:
        assert rest == "1"

    def on_fo(self, rest: str, *, baseline: bool = False) -> None:
        x, y = rest.split(",")
        self.at, self.baseline = (self.home[0] + int(x), self.home[1] + int(y)), baseline

    def on_ft(self, rest: str) -> None:
        self.on_fo(rest, baseline=True)

    def on_gb(self, rest: str) -> None:
        width, height, thick, colour, _ = rest.split(",")
        assert colour == "B"
        assert int(thick) == min(int(width), int(height)), "filled"
        x, y = self.at
        self.draw.rectangle((x, y, x + int(width) - 1, y + int(height) - 1), fill=0)

    def on_by(self, rest: str) -> None:
        self.module = int(rest)

    def on_bc(self, rest: str) -> None:
        way, height, *line, mode = rest.split(",")
        assert (way, line, mode) == ("N", ["N", "N", "N"], "N")
        self.what, self.bars = "bars", int(height)

    def on_a0(self, rest: str) -> None:
        way, height, width = rest.split(",")
        assert way == "N"
        self.what, self.size = "words", (int(height), int(width))

    def on_fh(self, rest: str) -> None:
        assert rest == "_"
        self.hexed = True

    def on_fd(self, rest: str) -> None:
        if self.hexed:
            parts = re.split(r"_([0-9A-F]{2})", rest)
            raw = b"".join(bytes.fromhex(p) if nth % 2 else p.encode() for nth, p in enumerate(parts))
            rest = raw.decode()
        if self.what == "bars":
            self._bars(rest)
        else:
            self._words(rest)

    def on_gf(self, rest: str) -> None:
        kind, total, size, across, rows = rest.split(",")
        assert kind == "A"
        assert total == size
        digits = 2 * int(across)
        lines: list[str] = []
        parts = re.findall(f":|[0-9A-F]{{{digits}}}", rows)
        for part in parts:
            lines.append(lines[-1] if part == ":" else part)
        assert "".join(parts) == rows
        assert len(lines) * int(across) == int(total)
        for down, line in enumerate(lines):
            for right, bit in enumerate(f"{int(line, 16):0{4 * digits}b}"):
                if bit == "1":
                    self.paper.putpixel((self.at[0] + right, self.at[1] + down), 0)

    def on_fs(self, rest: str) -> None:
        assert rest == ""
        self.what, self.hexed = "", False

    def _bars(self, data: str) -> None:
        values: list[int] = []
        pairs = False
        while data:
            if data[:2] in _SWITCHES:
                value, turned = _SWITCHES[data[:2]]
                values.append(value)
                pairs, data = pairs if turned is None else turned, data[2:]
            elif pairs:
                values.append(int(data[:2]))
                data = data[2:]
            else:
                values.append(ord(data[0]) - 32)
                data = data[1:]
        check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
        x, y = self.at
        assert not self.baseline
        for letter in "".join(_patterns[value] for value in (*values, check, 106)):
            wide = (ord(letter.lower()) - 96) * self.module
            if letter.isupper():
                self.draw.rectangle((x, y, x + wide - 1, y + self.bars - 1), fill=0)
            x += wide

    def _words(self, text: str) -> None:
        assert self.baseline
        self.words.append(text)
        font = ImageFont.load_default(size=self.size[1])
        self.draw.text(self.at, text, font=font, fill=0, anchor="ls")
