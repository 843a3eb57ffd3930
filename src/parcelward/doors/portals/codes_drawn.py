"""Barcodes as pictures: Code 128 for the counter's scanner as SVG, and a QR code's squares."""

from __future__ import annotations

import qrcode
from reportlab.graphics.barcode.code128 import Code128

QUIET = 10  # modules of white on either side: ISO/IEC 15417, 4.3.2
HEIGHT = 60


def code128_svg(text: str) -> str:
    """Return a Code 128 barcode. One module is one unit wide; the browser scales it."""
    bars = Code128(text, barWidth=1, quiet=0)
    bars.validate()
    bars.encode()
    bars.decompose()
    found, x = [], QUIET
    # reportlab's own form: an upper-case letter is a bar, a lower-case one a space, `a` one module wide.
    for each in bars.decomposed:
        width = ord(each.upper()) - ord("A") + 1
        if each.isupper():
            found.append(f"M{x} 0h{width}v{HEIGHT}h-{width}z")
        x += width
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -4 {x + QUIET} {HEIGHT + 8}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 -4h{x + QUIET}v{HEIGHT + 8}H0z"/><path d="{"".join(found)}"/></svg>'
    )


def qr_squares(text: str) -> list[list[bool]]:
    """Return a QR code row by row, without its margin: True is dark."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(square) for square in row] for row in code.get_matrix()]
