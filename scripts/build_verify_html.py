"""Build verify.html: the checks of the proof page and of evidence bundles as one file that works from a disk.

`python scripts/build_verify_html.py` writes it beside its sources, and its SHA-256 to docs/ and the README, where it is
published with the source and not by the operator; a test compares all three with what this script makes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "src" / "parcelward" / "doors" / "static" / "parcelward"
TARGET: Final = FOLDER / "verify.html"
HASH: Final = Path(__file__).resolve().parent.parent / "docs" / "verify.html.sha256"  # as `sha256sum -c` reads it
README: Final = Path(__file__).resolve().parent.parent / "README.md"
README_HASH: Final = re.compile(r"(?<=verify\.html`\) has SHA-256\n`)[0-9a-f]{64}(?=`)")
MODULES: Final = ("ed25519.js", "verify.js", "succession.js", "case.js", "offline.js")
_IMPORT: Final = re.compile(r"^import \{[^}]*\} from \"\./[a-z0-9]+\.js\";\n", re.MULTILINE)
_FETCHED: Final = 'await import("./ed25519.js")'  # here it stands in the same file
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)

STYLE: Final = """
:root { color-scheme: light dark; --ink: #14202b; --paper: #fff; --line: #c9d1d6; --edge: #6b7a85;
  --post: #14406b; --good: #1e6b45; --wait: #8a5a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf1; --paper: #10171d; --line: #33414b; --edge: #8494a0;
    --post: #8fbce6; --good: #7fd0a4; --wait: #e3b55c; --bad: #ef8a80; }
}
body { max-width: 66rem; margin: 32px auto; padding: 0 16px; color: var(--ink); background: var(--paper);
  font: 18px/28px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0 0 16px; font-size: 32px; line-height: 40px; }
h2 { margin: 24px 0 8px; font-size: 22px; line-height: 28px; }
p, li { max-width: 66ch; overflow-wrap: anywhere; }
label { display: block; max-width: 66ch; margin-top: 24px; font-weight: 600; }
.hint { margin: 4px 0 8px; }
input, textarea { box-sizing: border-box; width: 100%; min-height: 44px; padding: 8px; font: inherit; color: inherit;
  background: var(--paper); border: 2px solid var(--edge); border-radius: 0; }
textarea { font-family: ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; font-size: 16px; }
input::file-selector-button { min-height: 44px; margin-right: 16px; padding: 4px 16px; font: inherit;
  color: var(--paper); background: var(--post); border: 0; cursor: pointer; }
:focus-visible { outline: 3px solid #ffd84d; box-shadow: 0 0 0 5px #14202b; }
table { border-collapse: collapse; width: 100%; font-size: 16px; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); text-align: left; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  tr:first-child { position: absolute; clip-path: inset(50%); }
  tr, td { display: block; }
  tr { padding: 8px 0; border-bottom: 1px solid var(--line); }
  td { display: grid; grid-template-columns: 7rem 1fr; padding: 2px 0; border: 0; }
  td::before { content: attr(data-name); font-weight: 600; }
}
#result { padding: 12px 16px; border-left: 4px solid var(--line); font-weight: 600; }
#result:empty { display: none; }
#result[data-state="good"] { border-color: var(--good); color: var(--good); }
#result[data-state="waiting"] { border-color: var(--wait); color: var(--wait); }
#result[data-state="bad"] { border-color: var(--bad); color: var(--bad); }
"""

PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '{script_hash}'; \
style-src '{style_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Check a proof or an evidence bundle</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Check a proof or an evidence bundle</h1>
<p>This file talks to nobody: it has no network access, and what you open in it stays on this computer. It is only as
trustworthy as where you got it. Compare its SHA-256 hash with the one that is published with Parcelward's source.</p>
<label for="file">An evidence bundle (.zip) or a saved proof (.json)</label>
<p class="hint" id="file-hint">It is checked as soon as it is chosen.</p>
<input id="file" type="file" aria-describedby="file-hint">
<p id="result" role="status"></p>
<label for="keys">Verifier keys that you know from elsewhere, one a line (optional)</label>
<p class="hint" id="keys-hint">Without any, the keys inside the file are believed.</p>
<textarea id="keys" rows="3" spellcheck="false" aria-describedby="keys-hint"></textarea>
<label for="chain">Where the log's key was replaced: its <code>/log/succession</code>, kept as a file (optional)</label>
<p class="hint" id="chain-hint">The key that you know then vouches for those before and after it.</p>
<input id="chain" type="file" aria-describedby="chain-hint">
<noscript><p>Without JavaScript: the command <code>parcelward verify FILE</code> does the same.</p></noscript>
<section id="found" hidden>
<ul id="facts"></ul>
<table id="events"></table>
<h2>What this proves, and what it does not</h2>
<p>The events above are those that were recorded, unchanged and in this order, and the log's key signed a record that
contains them. It does not prove that what was recorded is true, nor that everything that happened was recorded.</p>
</section>
</main>
<script type="module">{script}</script>
</body>
</html>
"""


def csp_hash(source: str) -> str:
    """Return the CSP source expression that allows exactly this inline text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def script() -> str:
    """Return the modules as one, in the order in which they need each other."""
    parts = [(FOLDER / name).read_text(encoding="utf-8") for name in MODULES]
    joined = "\n".join(_EXPORT.sub("", _IMPORT.sub("", part)) for part in parts)
    joined = joined.replace(_FETCHED, "{ ed25519InScript }")
    if "</script" in joined or re.search(r"^(import|export)\b", joined, re.MULTILINE):
        raise ValueError("A module cannot stand inline as it is written.")
    return f"\n{joined}"


def build() -> str:
    """Return the file's text."""
    made = script()
    return PAGE.format(script=made, style=STYLE, script_hash=csp_hash(made), style_hash=csp_hash(STYLE))


def hash_line(page: str) -> str:
    """Return the line that publishes the file's hash."""
    return f"{hashlib.sha256(page.encode()).hexdigest()}  verify.html\n"


if __name__ == "__main__":
    made = build()
    TARGET.write_text(made, encoding="utf-8")
    HASH.write_text(hash_line(made), encoding="utf-8")
    README.write_text(README_HASH.sub(hash_line(made)[:64], README.read_text(encoding="utf-8")), encoding="utf-8")
    print(hash_line(made), end="")
