"""Make shipping/customs/hs_codes.json anew: the Harmonized System 2022, from the public data set (PDDL).

    .venv/bin/python scripts/rebuild_hs.py HARMONIZED_SYSTEM_CSV

The CSV is `data/harmonized-system.csv` of github.com/datasets/harmonized-system at 905e5a0 of 2024-10-25, whose
source is UN Comtrade. Its row of the total is left out: it is no code.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

OUT = Path(__file__).parent.parent / "src/parcelward/shipping/customs/hs_codes.json"
ABOUT = {
    "edition": "HS 2022",
    "source": "github.com/datasets/harmonized-system at 905e5a0, from UN Comtrade",
    "licence": "ODC Public Domain Dedication and License (PDDL) 1.0",
    "date": "2024-10-25",
}


def main(source: Path) -> None:
    """Write one code a line, so that a change of the table can be read."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = sorted((row["hscode"], " ".join(row["description"].split())) for row in csv.DictReader(file))
    codes = {code: words for code, words in rows if code.isdigit()}
    head = ",\n".join(f"{json.dumps(name)}: {json.dumps(text)}" for name, text in ABOUT.items())
    lines = ",\n".join(f"{json.dumps(code)}: {json.dumps(words, ensure_ascii=False)}" for code, words in codes.items())
    OUT.write_text(f'{{\n{head},\n"codes": {{\n{lines}\n}}\n}}\n', encoding="utf-8")
    print(f"{len(codes)} codes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
