"""What of a piece of mail goes on to the other side: a subject and a plain text without addresses and numbers.

No database, no clock. The mail is a stranger's: everything about it has a limit, and what cannot be read within them is
refused by itself.
"""

from __future__ import annotations

import email
import email.policy
import html.parser
import re
import string
import unicodedata
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Final, NamedTuple

from parcelward.privacy.wire import MAIL_BYTES_MAX

HIDDEN: Final = "[hidden]"
HEAD_BYTES_MAX: Final = 32 * 1024
HEAD_LINE_BYTES_MAX: Final = 4_000  # RFC 5322 has 998; real ones with many hops have more
HEADERS_MAX: Final = 200
PARTS_MAX: Final = 50
DEPTH_MAX: Final = 8
SEPARATORS_MAX: Final = 1_000
TEXT_CHARS_MAX: Final = 10_000
SUBJECT_CHARS_MAX: Final = 120
HOPS_MAX: Final = 30
_BLOCKS: Final = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "table", "ul", "ol"})
_SILENT: Final = frozenset({"script", "style", "head", "title", "template"})

# Whatever stands around an at sign, be there blanks or a line's end between: half of an address is one, too.
_AT = re.compile(r"[^\s@<>()\[\],;:\"]{0,64}\s{0,2}@\s{0,2}[^\s@<>()\[\],;\"]{0,255}")
_SPELLED = re.compile(
    r"(?i)[\w.+-]{1,64}\s{0,2}[\[({<]\s?at\s?[\])}>]\s{0,2}[\w.-]{1,255}(?:\s{0,2}[\[({<]\s?dot\s?[\])}>]\s{0,2}\w{1,63}){0,4}"
    r"|[\w.+-]{1,64} at [\w-]{1,63}(?:(?: dot |\.)[\w-]{1,63}){1,4}"
)
_LINK = re.compile(r"(?i)(?:(?:[a-z][a-z0-9+.-]{0,20}:)?//|www\.|mailto:|tel:)\S*")
_PHONE = re.compile(r"(?<![^\W_])\+?\(?\d(?:[\s().\-/·]{0,3}\d){6,}(?![^\W_])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, joiners, directions, private ones
_SPARE = re.compile(r"\n{3,}")
_AUTOMATIC: Final = ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond", "x-loop", "feedback-id")


class Unreadable(Exception):
    """Mail that cannot be read within the limits; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Letter(NamedTuple):
    """What was read of a piece of mail."""

    authors: tuple[str, ...]  # the addresses in From
    subject: str
    text: str
    automatic: bool  # no person wrote it: an absence notice, a list, a bounce, or one of ours that came back
    vouched: tuple[str, ...]  # the Authentication-Results, as they stand, uppermost first


def read(raw: bytes) -> Letter:
    """Take a piece of mail apart. Raises Unreadable."""
    _require_small(raw)
    try:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)  # noqa: S101 -- what this policy makes
        _require_shallow(message, 0, [0])
        return Letter(
            authors=tuple(address for _, address in getaddresses([str(v) for v in message.get_all("From", [])])),
            subject=masked(" ".join(str(message.get("Subject", "")).split()), SUBJECT_CHARS_MAX).replace("\n", " "),
            text=masked(_text(message), TEXT_CHARS_MAX),
            automatic=_automatic(message),
            # Undecoded: an encoded word (RFC 2047) is an atom here, and would become what divides the field.
            vouched=tuple(str(value) for name, value in message.raw_items() if name.lower() == _RESULTS),
        )
    except Unreadable:
        raise
    # The email package has many errors for what no mail program writes; its own list of them is not complete.
    except (ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError):
        raise Unreadable("malformed") from None


def _require_small(raw: bytes) -> None:
    """Raise Unreadable for what would cost the parser too much, before it is given to it."""
    if len(raw) > MAIL_BYTES_MAX:
        raise Unreadable("too_large")
    unified = raw.replace(b"\r\n", b"\n")
    head = unified.partition(b"\n\n")[0]
    lines = head.split(b"\n")
    if len(head) > HEAD_BYTES_MAX or len(lines) > HEADERS_MAX * 3 or max(map(len, lines)) > HEAD_LINE_BYTES_MAX:
        raise Unreadable("large_head")
    if b"\0" in head or b"\r" in head:  # a bare one is a line's end to some and to others not
        raise Unreadable("malformed")
    lower = unified.lower()
    if (
        lower.count(b"multipart/") + lower.count(b"message/rfc822") > DEPTH_MAX * 4
        or lower.count(b"\n--") > SEPARATORS_MAX
    ):
        raise Unreadable("deep")


def _require_shallow(message: EmailMessage, depth: int, seen: list[int]) -> None:
    seen[0] += 1
    if depth > DEPTH_MAX or seen[0] > PARTS_MAX or len(message.keys()) > HEADERS_MAX:
        raise Unreadable("deep")
    if message.is_multipart():
        for part in message.iter_parts() if message.get_content_maintype() == "multipart" else ():
            if isinstance(part, EmailMessage):
                _require_shallow(part, depth + 1, seen)


def _text(message: EmailMessage) -> str:
    """Return what a person wrote: the plain text, or what is left of the HTML without its tags."""
    part = message.get_body(preferencelist=("plain",)) or message.get_body(preferencelist=("html",))
    if part is None or part.get_content_disposition() == "attachment":
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # a charset that nobody has
        text = payload.decode("utf-8", "replace")
    return _without_tags(text) if part.get_content_subtype() == "html" else text


def _without_tags(text: str) -> str:
    bare = _Bare()
    bare.feed(text)
    bare.close()
    return "".join(bare.said)


class _Bare(html.parser.HTMLParser):
    """Collects what stands between the tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 -- the parser's own signature
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


def masked(text: str, chars_max: int) -> str:
    """Return a text without e-mail addresses, telephone numbers, links, and letters that cannot be seen."""
    unified = unicodedata.normalize("NFKC", text[: chars_max * 4]).replace("\r\n", "\n").replace("\r", "\n")
    seen = "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) not in _UNSEEN)
    for pattern in (_LINK, _AT, _SPELLED):
        seen = pattern.sub(HIDDEN, seen)
    seen = _PHONE.sub(lambda found: found[0] if _DATE.fullmatch(found[0]) else HIDDEN, seen)
    return _SPARE.sub("\n\n", "\n".join(line.rstrip() for line in seen.split("\n"))).strip()[:chars_max]


def _automatic(message: EmailMessage) -> bool:
    said = str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    return (
        said != "no"
        or str(message.get("Precedence", "")).strip().lower() in {"bulk", "junk", "list", "auto_reply"}
        or message.get_content_type() == "multipart/report"
        or any(name in message for name in _AUTOMATIC)
        or len(message.get_all("Received", [])) > HOPS_MAX
    )


_RESULTS: Final = "authentication-results"
_RESULT = re.compile(r"^\s*(spf|dkim|dmarc)\s*=\s*pass\b(.*)$", re.IGNORECASE | re.DOTALL)
_PROPERTY = re.compile(r"([a-z]+\.[a-z_-]+)\s*=\s*([^\s;]+)", re.IGNORECASE)
_IN_QUOTES: Final = frozenset(string.ascii_letters + string.digits + "@._-+")  # what may leave them and mean the same


def vouches(results: tuple[str, ...], authserv: str, sender: str) -> bool:
    """Return whether the mail server of that name says that `sender`'s domain sent it (RFC 8601).

    Only the uppermost field of that name counts: a sender can write as many as they like below it.
    """
    domain = sender.rpartition("@")[2].lower()
    for field in results:
        bare = _bare(field)
        if bare is None:  # perhaps our server's own, with what the sender made it say: none below it is believed
            return False
        name, _, rest = bare.partition(";")
        if name.split()[:1] == [authserv]:
            passed = [found for result in rest.split(";") if (found := _RESULT.match(result))]
            return any(_aligned(found[1].lower(), found[2], domain) for found in passed)
    return False


def _bare(field: str) -> str | None:
    """Return a field without its comments, which nest, and its quotes (RFC 5322, 3.2.2 and 3.2.4).

    Whoever is judged writes some of what stands in both: nothing in a quote divides the field. None where one does
    not begin or end.
    """
    depth, quoted, escaped, kept = 0, False, False, []
    for character in field:
        if escaped or (character == "\\" and (depth or quoted)):
            escaped = not escaped
            kept.append("?" if quoted else "")
        elif quoted:
            quoted = character != '"'
            kept.append("" if not quoted else character if character in _IN_QUOTES else "?")
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                return None
        elif not depth:
            quoted = character == '"'
            kept.append("" if quoted else character)
    return None if depth or quoted else "".join(kept)


def _aligned(method: str, properties: str, domain: str) -> bool:
    said = {name.lower(): value.lower().rpartition("@")[2] for name, value in _PROPERTY.findall(properties)}
    if method == "dkim":
        signer = said.get("header.d", "")
        return "." in signer and (domain == signer or domain.endswith(f".{signer}"))
    named: str = said.get("smtp.mailfrom" if method == "spf" else "header.from", "")
    return named == domain
