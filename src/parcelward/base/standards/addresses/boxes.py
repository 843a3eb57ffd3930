"""Post office boxes by the words that posts use for them: a courier finds no door there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from parcelward.base.standards.addresses.address import Address

_LATIN: Final = (
    r"p\.? ?o\.? ?box",
    r"g\.?p\.?o\.? ?box",
    r"post(?:al)? ?office box",
    r"post(?:al)? box",
    r"(?:private|locked) (?:mail )?bag(?= ?\d)",
    r"postfach",
    r"bo[iî]te postale|b\.?p\.?(?= ?\d)",
    r"case postale",
    r"apartado(?: (?:postal|de correos?))?(?= ?\d)|apdo\.?(?= ?\d)",
    r"apartado (?:postal|de correos?)",
    r"casilla(?: de correo| postal)?(?= ?\d)",
    r"caixa postal",
    r"casella postale",
    r"postbus(?= ?\d)",
    r"post ?boks",
    r"skrytka pocztowa",
    r"postafi[oó]k|pf\.(?= ?\d)",
    r"p\.? ?o\.? ?b\.?(?= ?\d)",
    r"po[sš]tansk[iy] pretinac|po[sš]tovn[ií] p[rř]ihr[aá]dka",
    r"c[aă]su[tț]a po[sș]tal[aă]",
    r"posta kutusu",
    r"peti surat",
    r"h[oò]m th[uư]",
)
_BEFORE_AND_AFTER: Final = re.compile(rf"(?<!\w)(?:{'|'.join(_LATIN)})(?!\w)", re.IGNORECASE)
_OTHERS: Final = re.compile(
    r"(?<!\w)\u0430/я(?!\w)|абонентск\w+ ящик|абонентськ\w+ скриньк|пощенска кутия|поштенски фах"
    r"|私書箱|邮政信箱|郵政信箱|信箱|사서함|ตู้ ?ป\.?ณ\.?|صندوق (?:ال)?بريد|ص\.? ?ب(?:\.|(?= ?\d))|ת\.?ד\.|תא דואר"
    r"|τ\.?θ\.(?= ?\d)|ταχ(?:υδρομική|\.) θυρίδα",
    re.IGNORECASE,
)


def found_in(address: Address) -> Iterator[str]:
    """Give the JSON Pointer of each line that names a post office box."""
    for nth, line in enumerate(address.street_lines):
        if _BEFORE_AND_AFTER.search(line) or (not line.isascii() and _OTHERS.search(line)):
            yield f"/street_lines/{nth}"
