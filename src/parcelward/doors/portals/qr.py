"""QR codes as SVG, for a page: black on white in both themes, because a camera reads nothing else reliably."""

from __future__ import annotations

from typing import Final

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString

QUIET: Final = 4  # modules of white around it (ISO/IEC 18004)


def svg(text: str, *, label: str) -> SafeString:
    """Return `text` as a QR code; `label` is what those hear who do not see it."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return format_html(
        '<svg class="pw-qr" role="img" aria-label="{}" viewBox="0 0 {} {}" shape-rendering="crispEdges">'
        '<rect width="100%" height="100%" fill="#fff"/><path d="{}" fill="#000"/></svg>',
        label,
        len(rows),
        len(rows),
        path,
    )
