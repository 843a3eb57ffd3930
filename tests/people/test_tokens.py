"""The form of an API key's token: what SECURITY.md tells leak scanners finds every token, and nothing else."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from tests.scanner import SEED

from parcelward.people import tokens

ROOT = Path(__file__).parents[2]


def documented() -> re.Pattern[str]:
    """The regular expression of the page for people who look for leaked keys."""
    found = re.search(r"^    (\\bpw_.*)$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    assert found, "SECURITY.md says how a key looks"
    return re.compile(found[1])


def test_the_documented_expression_finds_every_token_in_what_people_leak():
    pattern = documented()
    assert pattern.pattern == tokens.PATTERN.pattern
    for production in (True, False):
        for _ in range(500):
            token = tokens.new(production=production)
            for leak in (f'API_KEY="{token}"', f"curl -H 'Authorization: Bearer {token}'", f"key:\t{token}\n"):
                assert pattern.findall(leak) == [token]
            assert tokens.is_token(token)
            assert token.startswith("pw_live_" if production else "pw_test_")


def test_the_checksum_as_documented_tells_a_token_from_what_only_looks_like_one():
    """CRC-32 of all before it in six characters of base 62, made here anew from the words of the page."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    token = tokens.new(production=False)
    number, six = zlib.crc32(token[:-6].encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        six = alphabet[digit] + six
    assert token.endswith(six)
    for place in range(8, len(token)):
        wrong = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]
        assert not tokens.is_token(wrong), "one mistyped character is seen"
        assert tokens.mistyped(wrong)


def test_what_is_no_token_is_not_taken_for_a_mistyped_one():
    """Keys of the first version had another form, and open what they always did."""
    for text in ("", "x", "pw_test_" + "a" * 43, f"pw_live_{'-' * 49}", "pw_test_" + "a" * 50):
        assert not tokens.is_token(text)
        assert not tokens.mistyped(text)


@pytest.mark.asvs("11.5.1")
def test_256_random_bits_fit_and_no_two_tokens_are_alike():
    assert 62**tokens.RANDOM_LENGTH > 2**tokens.RANDOM_BITS > 62 ** (tokens.RANDOM_LENGTH - 1)
    assert len({tokens.new(production=True) for _ in range(2_000)}) == 2_000, f"seed {SEED} has no part in it"
