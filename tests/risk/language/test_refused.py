"""What is not in the language is refused where it is written: what attacks, what is a slip, and what nobody means."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.risk.language.written import SCHEMA, TESTS

from parcelward.risk import language, rule_words
from parcelward.risk.language import lexing, problems, reading, reckoning
from parcelward.risk.language.problems import Refused

ATTACKS = {
    "attribute": "country.upper == 1",
    "class of a literal": "().__class__ == 1",
    "dunder": "__import__('os') == 1",
    "dunder name": "__builtins__",
    "call": "open('/etc/passwd') == 1",
    "call of eval": "eval('1') == 1",
    "call of a call": "known(country)(1)",
    "call of a text": "'a'(1) == 1",
    "call of a field": "new_address(1)",
    "call of a method": "'{0}'.format(country) == 'a'",
    "percent format": "'%s' % country == 'a'",
    "keyword": "known(field=country)",
    "starred": "min(*goods) > 1",
    "starred names": "min(**goods) > 1",
    "comprehension": "[x for x in goods] == 1",
    "generator": "max(x for x in goods) > 1",
    "set comprehension": "{x for x in goods} == 1",
    "dictionary": "{'a': 1} == 1",
    "walrus": "(x := 1) > 0",
    "assignment": "cards_1h = 4",
    "lambda": "(lambda: 1)() == 1",
    "lambda without a colon": "lambda > 1",
    "f-string": "f'{country}' == 'a'",
    "f-string in capitals": "F\"{country}\" == 'a'",
    "bytes": "b'a' == 1",
    "raw": "r'a' == country",
    "format of a text": "rb'a' == 1",
    "escape": r"country == '\x41'",
    "triple quotes": "'''a''' == country",
    "huge power": "9**9**9 > cards_1h",
    "power by spaces": "9 * * 9 > 1",
    "huge number": "9" * 17 + " > cards_1h",
    "digits beyond what Python turns into a number": "9" * 900 + " > cards_1h",
    "huge product": "9999999999 * 9999999999 > cards_1h",
    "product of fields": "amount_minor * orders_30d > 1",
    "times a text": "'a' * 1000000000 == country",
    "text times": "1000000000 * 'a' == country",
    "list times": "[1] * 1000000000 == 1",
    "shift": "1 << 1000000 > cards_1h",
    "bits": "cards_1h | 1 > 0",
    "complement": "~cards_1h > 0",
    "matrix": "cards_1h @ 1 > 0",
    "whole division": "cards_1h // 0 > 1",
    "division by nothing": "cards_1h / 0 > 1",
    "division by almost nothing": "cards_1h / 0.0000001 > 1",
    "rest of nothing": "cards_1h % 0 > 1",
    "choice": "1 if new_address else 0",
    "index": "goods[0] == 'a'",
    "slice": "country[0:1] == 'a'",
    "tuple": "cards_1h in (1, 2)",
    "several": "new_address, by_proxy",
    "await": "await new_address",
    "yield": "(yield)",
    "statement": "import os",
    "two statements": "new_address; by_proxy",
    "comment": "new_address # and more",
    "line that goes on": "new_address \\\n and by_proxy",
    "out of the brackets": "new_address) or (by_proxy",
    "deep brackets": "(" * 400 + "new_address" + ")" * 400,
    "deep not": "not " * 240 + "new_address",
    "deep minus": "-" * 290 + "cards_1h > 1",
    "deep lists": "cards_1h in " + "[" * 100 + "1" + "]" * 100,
    "long": "new_address or " * 100 + "by_proxy",
    "many words": "1" + "+1" * 400 + " > cards_1h",
    "many nodes": "(" + "+".join(["1"] * 140) + ") > cards_1h",
    "long list": f"cards_1h in [{','.join(['1'] * 101)}]",
    "long literal": f"country == '{'x' * 101}'",
    "nul": "new_address\0",
    "nul in a text": "country == 'a\0'",
    "new line in a text": "country == 'a\nb'",
    "from right to left": "country == '\u202eSE'",
    "other space": "cards_1h\u00a0> 3",
    "form feed": "cards_1h\f> 3",
    "homoglyph": "\u0441ards_1h > 3",
    "ligature that Python would make letters of": "new_address and by_pro\ufb01y",
    "wide letters that Python would make plain": "\uff4eew_address",
    "other digits": "cards_1h > \u0663",
    "superscript": "cards_1h > 3\u00b2",
    "surrogate": "country == '\ud800'",
    "constant": "True",
    "nothing": "None",
    "dots": "...",
    "imaginary": "1j > 0",
    "exponent": "1e9 > cards_1h",
    "infinite": "1e999 > cards_1h",
    "hexadecimal": "0x10 > cards_1h",
    "leading zero": "cards_1h > 007",
    "empty": "",
    "blank": " \n ",
}


@pytest.mark.asvs("1.3.2", "1.3.10")
@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_what_the_language_does_not_have_is_refused(text: str) -> None:
    began = time.process_time()
    with pytest.raises(Refused) as refused:
        reading.read(text, SCHEMA)
    assert time.process_time() - began < 1
    for finding in refused.value.findings:
        assert 0 <= finding.start <= finding.end <= len(text)
        assert rule_words.wrong(finding)


MISTAKES = [
    ("cards_1 > 3", "unknown_name", "cards_1", "cards_1h"),
    ("new_address and crads_1h > 3", "unknown_name", "crads_1h", "cards_1h"),
    ("Cards_1h > 3", "unknown_name", "Cards_1h", "cards_1h"),
    ("starts_with(country, 'E')", "unknown_call", "starts_with", "startswith"),
    ("account_age < 7", "bare_time", "account_age < 7", "7d"),
    ("cards_1h > 1h", "unlike_units", "cards_1h > 1h", ""),
    ("amount_minor + account_age > 5", "unlike_units", "amount_minor + account_age", ""),
    ("amount_minor * usual_minor > 5", "unlike_units", "amount_minor * usual_minor", ""),
    ("country > 'ES'", "text_order", "country > 'ES'", ""),
    ("country == 3", "unlike", "country == 3", ""),
    ("cards_1h == 'ES'", "unlike", "cards_1h == 'ES'", ""),
    ("new_address == 1", "compared_flag", "new_address == 1", "new_address"),
    ("goods == 'knife'", "compared_set", "goods == 'knife'", '"..." in goods'),
    ("cards_1h", "not_a_flag", "cards_1h", "cards_1h > 0"),
    ("new_address and 3", "not_a_test", "3", ""),
    ("score == 0.5", "inexact", "score == 0.5", ""),
    ("cards_1h is None", "no_is", "cards_1h is None", "not known(cards_1h)"),
    ("cards_1h & 3", "unknown_sign", "&", "and"),
    ("country = 'ES'", "unknown_sign", "=", "=="),
    ("cards_1h > \u0663", "unknown_sign", "\u0663", ""),
    ("cards_1h > 1\u0663", "unknown_sign", "\u0663", ""),
    ("\u0441ards_1h > 3", "foreign_letter", "\u0441", ""),
    ("country == “ES”", "unknown_sign", "“", '"'),
    ("country in ['ES' 'PT']", "two_texts", "'ES' 'PT'", "'ES', 'PT'"),
    ("country in 'ES'", "not_a_list", "'ES'", '["...", "..."]'),
    ("country in ['ES', 3]", "bad_list_value", "3", ""),
    ("score in [1]", "not_listed", "score", ""),
    ("country == 'ES", "open_text", "'ES", ""),
    ("(new_address", "bracket", "(", ""),
    ("new_address and", "no_sense", None, ""),
    ("cards_1h > 3 cards", "no_sense", None, ""),
    ("startswith(country)", "bad_call", "startswith(country)", 'startswith(field, "...")'),
    ("startswith(goods, 'a')", "not_a_text", "goods", ""),
    ("score % 2 > 1", "bad_rest", "score % 2", ""),
    ("country + 1 > 3", "not_a_number", "country", ""),
    ("country == 'España' and crads_1h > 3", "unknown_name", "crads_1h", "cards_1h"),
    ("cards_1h > -1", "always_true", "cards_1h > -1", ""),
    ("cards_1h > 10_000", "always_false", "cards_1h > 10_000", ""),
    ("3 > 2", "always_true", "3 > 2", ""),
    ("'a' == 'b'", "always_false", "'a' == 'b'", ""),
    ("country == country", "always_true", "country == country", ""),
    ("cards_1h <= cards_1h", "always_true", "cards_1h <= cards_1h", ""),
    ("cards_1h in [1, 20_000]", "always_false", "20_000", ""),
    ("cards_1h > 3 and cards_1h < 4", "always_false", "cards_1h > 3 and cards_1h < 4", ""),
    ("cards_1h > 3 or cards_1h <= 3", "always_true", "cards_1h > 3 or cards_1h <= 3", ""),
    ("5 < cards_1h < 3", "always_false", "5 < cards_1h < 3", ""),
    ("score > 0.5 and score < 0.5", "always_false", "score > 0.5 and score < 0.5", ""),
    ("country == 'ES' and country == 'PT'", "always_false", "country == 'ES' and country == 'PT'", ""),
    ("country in ['ES'] and country != 'ES'", "always_false", "country in ['ES'] and country != 'ES'", ""),
    ("country != 'ES' or country != 'PT'", "always_true", "country != 'ES' or country != 'PT'", ""),
    ("known(score) or not known(score)", "always_true", "known(score) or not known(score)", ""),
    ("new_address and (by_proxy or score > 0.2) and not new_address", "always_false", None, ""),
]


@pytest.mark.parametrize(("text", "code", "place", "suggestion"), MISTAKES)
def test_a_slip_is_named_with_its_place_and_what_was_meant(
    text: str, code: str, place: str | None, suggestion: str
) -> None:
    with pytest.raises(Refused) as refused:
        reading.read(text, SCHEMA)
    [finding] = refused.value.findings
    assert (finding.code, finding.suggestion) == (code, suggestion)
    assert place is None or text[finding.start : finding.end] == place


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Refused) as refused:
        reading.read("crads_1h > 3 and (account_age < 7 or contry == 'ES') and new_address", SCHEMA)
    assert [finding.code for finding in refused.value.findings] == ["unknown_name", "bare_time", "unknown_name"]


def test_of_very_much_that_is_wrong_the_first_is_said() -> None:
    with pytest.raises(Refused) as refused:
        reading.read(" and ".join(f"({name} or x{name})" for name in "abcdefghijklmnopqrstuvwxyz"), SCHEMA)
    assert [finding.about for finding in refused.value.findings] == [
        "a",
        "xa",
        "b",
        "xb",
        "c",
        "xc",
        "d",
        "xd",
        "e",
        "xe",
    ]


def test_what_is_just_within_the_limits_is_taken() -> None:
    wholes = ",".join(map(str, range(reading.LIST_MAX)))
    reading.read(f"cards_1h in [{wholes}]", SCHEMA)
    reading.read(f"country == '{'x' * lexing.LITERAL_MAX}'", SCHEMA)
    reading.read(f"new_address{' ' * (lexing.LENGTH_MAX - 11)}", SCHEMA)
    reading.read(f"{'(' * lexing.BRACKETS_MAX}new_address{')' * lexing.BRACKETS_MAX}", SCHEMA)
    reading.read(f"{'not ' * (reading.DEPTH_MAX - 1)}new_address", SCHEMA)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"new_address{' ' * (lexing.LENGTH_MAX - 10)}", "too_long"),
        ("1" + "+1" * (lexing.WORDS_MAX // 2), "too_many_words"),
        (f"{'(' * (lexing.BRACKETS_MAX + 1)}new_address{')' * (lexing.BRACKETS_MAX + 1)}", "too_deep"),
        (f"country == '{'x' * (lexing.LITERAL_MAX + 1)}'", "literal_too_long"),
        (f"cards_1h > {'9' * (lexing.DIGITS_MAX + 1)}", "number_too_long"),
        (f"{'not ' * reading.DEPTH_MAX}new_address", "too_deep"),
        (f"cards_1h in [{','.join(['1'] * (reading.LIST_MAX + 1))}]", "bad_list"),
        ("cards_1h in []", "bad_list"),
        (f"min({','.join(['1'] * (reckoning.PARTS_MAX + 1))}) < cards_1h", "bad_call"),
        ("min(1) < cards_1h", "bad_call"),
        ("-1" + "<-1" * (reading.NODES_MAX // 2 - 1), "too_large"),
    ],
)
def test_what_is_just_beyond_a_limit_is_refused_for_it(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        reading.read(text, SCHEMA)
    assert [finding.code for finding in refused.value.findings] == [code]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    _read_or_refused(text)


@given(
    st.lists(st.one_of(TESTS, st.sampled_from([*"()[],.:=<>!*%{}'\"\\ \n", "and", "not", "lambda", "__", "\u0441"])))
)
def test_any_mixture_of_words_is_read_or_refused(words: list[str]) -> None:
    _read_or_refused(" ".join(words))


def _read_or_refused(text: str) -> None:
    findings: tuple[problems.Finding, ...] = ()
    try:
        reading.read(text, SCHEMA)
    except Refused as refused:
        findings = refused.findings or (problems.Finding("nothing was found", 0, 0),)
    for finding in findings:
        assert 0 <= finding.start <= finding.end <= len(text)
        assert finding.code in rule_words.WRONG


def test_every_code_has_its_sentence_and_no_sentence_is_left_over() -> None:
    used = set()
    assert language.__file__
    for path in Path(language.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)
    used |= {"compared_flag", "compared_set"}  # one is chosen by the kind of its field
    assert set(rule_words.WRONG) <= used
    called = re.compile(r"(?:refuse|wrong|Finding|Constant)\(\s*\"(\w+)\"")
    named = {code for p in Path(language.__file__).parent.glob("*.py") for code in called.findall(p.read_text())}
    assert named <= set(rule_words.WRONG)


def test_what_was_meant_is_near() -> None:
    assert problems.meant("zebra", SCHEMA.by_name) == ""
