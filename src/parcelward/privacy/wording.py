"""The words of messages: one text file a message, its subject on the first line.

A message is called by the name of its file in any room's `templates/messages/`: `code` is `messages/code.txt`. Rooms
add files; there is no list to keep. No message asks for data or for money, and the only address that one may hold is
our own page: a reader who was taught to follow links from the post follows the wrong one some day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation

from parcelward.base import config
from parcelward.base.errors import Invalid

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
VALUES_MAX: Final = 20
VALUE_CHARS_MAX: Final = 2_000
SUBJECT_CHARS_MAX: Final = 120
LANGUAGE: Final = "language"  # a value that is not shown: which language to write in
FROM: Final = "from"  # a value that is not shown: the address of ours that a message comes from
_ADDRESS = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S*")


class Words(NamedTuple):
    """One message, ready to be sent."""

    subject: str
    body: str


def require_known(template: str, values: Mapping[str, str]) -> None:
    """Raise Invalid unless there is such a message and its values are short texts without foreign addresses."""
    if not NAME.fullmatch(template):
        raise Invalid("There is no such message", code="unknown_message")
    try:
        get_template(f"messages/{template}.txt")
    except TemplateDoesNotExist:
        raise Invalid("There is no such message", code="unknown_message") from None
    if len(values) > VALUES_MAX or any(len(text) > VALUE_CHARS_MAX for text in values.values()):
        raise Invalid("A message takes fewer and shorter values than these", code="bad_message")
    if foreign_addresses("\n".join(values.values())):
        raise Invalid("A message holds no address but our own", code="foreign_address")


def foreign_addresses(text: str) -> list[str]:
    """Return the web addresses in a text that do not lead to our own pages."""
    home = config.get().public_url
    return [
        found
        for found in _ADDRESS.findall(text)
        if found != home and not found.startswith((f"{home}/", f"{home}?", f"{home}#"))
    ]


def render(template: str, values: Mapping[str, str]) -> Words:
    """Return the message in the language that the values name, English otherwise."""
    with translation.override(values.get(LANGUAGE, "en")):
        shown = {**values, "operator": config.get().operator, "public_url": config.get().public_url}
        text = get_template(f"messages/{template}.txt").render(shown)
    subject, _, body = text.strip().partition("\n")
    return Words(" ".join(subject.split())[:SUBJECT_CHARS_MAX], body.strip() + "\n")
