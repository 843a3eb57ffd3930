"""Makes a made-up right-to-left language (ar-XB) from the source texts, for tests: what stays English is not marked.

python -m scripts.pseudo_messages FOLDER        writes FOLDER/ar_XB/LC_MESSAGES/django.mo
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from scripts.compile_messages import compiled, found

ACCENTED = str.maketrans("aceinorsuyACEINORSUY", "àçéíñóřšüýÀÇÉÍÑÓŘŠÜÝ")
KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{\w+\}|<[^>]+>|&\w+;)")
LONGER_BY = 0.35  # most languages need about a third more room than English
FORMATS = frozenset({"H:i", "l j F", "l j F Y", "j M", "j F Y, H:i:s"})


def pseudo(text: str) -> str:
    """Return `text` with accents, a third longer, in brackets; placeholders and date formats stay as they are."""
    if text in FORMATS:
        return text
    parts = [part if KEPT.fullmatch(part) else part.translate(ACCENTED) for part in KEPT.split(text)]
    more = " ~~" * max(1, round(len(text) * LONGER_BY / 3))
    return f"[{''.join(parts)}{more}]"


def main(folder: Path) -> None:
    """Write the compiled catalog."""
    catalog = Catalog(locale="ar_EG")  # Babel knows no ar_XB; only the plural rule is taken from it
    for text in found():
        forms = (pseudo(text[1]),) * catalog.num_plurals if isinstance(text, tuple) else pseudo(text)
        catalog.add(text, forms)
    target = folder / "ar_XB" / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(compiled(catalog))


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 -- the program and the folder
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
