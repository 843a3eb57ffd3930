"""What the account page calls things."""

from __future__ import annotations

import datetime as dt

from parcelward.doors.portals.accounts import words
from parcelward.people.queries import PasskeyRow

DAY = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def row(number: int, kind: str, day: int) -> PasskeyRow:
    return PasskeyRow(number, kind, DAY + dt.timedelta(days=day), None)


def test_two_passkeys_on_things_of_one_kind_are_told_apart_and_keep_their_numbers():
    first, second, phone = row(9, "security_key", 0), row(4, "security_key", 5), row(5, "phone", 2)
    called = words.passkeys([second, phone, first])
    assert called == {9: "On a security key (1)", 4: "On a security key (2)", 5: "On a phone"}
    assert words.passkeys([second, phone]) == {4: "On a security key", 5: "On a phone"}


def test_a_name_that_was_typed_before_kinds_were_chosen_is_counted_and_not_shown():
    called = words.passkeys([row(1, "Anna's own", 0), row(2, "passkey", 1)])
    assert called == {1: "Passkey (1)", 2: "Passkey (2)"}
