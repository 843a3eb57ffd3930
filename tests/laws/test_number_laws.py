from __future__ import annotations

import string
import uuid
from urllib.parse import quote

from hypothesis import assume, example, given
from hypothesis import strategies as st

from parcelward.base.standards import carriers, gs1, impb, s10
from parcelward.base.standards import identify as door
from parcelward.base.standards.errors import BadGs1Key, BadItemNumber

letters2 = st.text(string.ascii_uppercase, min_size=2, max_size=2)
s10s = st.builds(s10.make, letters2, st.integers(0, 10**8 - 1), letters2)
digits = st.text(string.digits, min_size=1, max_size=40)
cset82 = st.text("!\"%&'()*+,-./0123456789:;<=>?_" + string.ascii_letters, min_size=1, max_size=20)
prefixes = st.integers(6, 12).flatmap(lambda n: st.text(string.digits, min_size=n, max_size=n))


# EPC schemes, and how many digits their first two parts have together; 0: the reference is free text.
SCHEMES = [
    *(("sscc", 17), ("sgtin", 13), ("gdti", 12), ("grai", 12), ("sgln", 12), ("pgln", 12), ("gsin", 16), ("gsrn", 17)),
    *(("giai", 0), ("ginc", 0)),
]


@st.composite
def keys(draw: st.DrawFn) -> tuple[gs1.Gs1Key, int]:
    """Draw a GS1 key that has an EPC URI, and the length of its company prefix."""
    prefix = draw(prefixes)
    scheme, body = draw(st.sampled_from(SCHEMES))
    if not body:
        return gs1.parse(f"urn:epc:id:{scheme}:{prefix}.{quote(draw(cset82)[:18], safe='')}"), len(prefix)
    room = body - len(prefix)
    reference = draw(st.text(string.digits, min_size=room, max_size=room))
    serial = f".{quote(draw(cset82)[:16], safe='')}" if scheme in {"sgtin", "gdti", "grai", "sgln"} else ""
    return gs1.parse(f"urn:epc:id:{scheme}:{prefix}.{reference}{serial}"), len(prefix)


@given(s10s)
def test_an_s10_reads_as_it_was_made(item: s10.S10) -> None:
    assert s10.parse(str(item)) == item
    assert s10.parse(s10.grouped(str(item)).lower()) == item
    assert s10.fits(str(item))


def remainder(serial8: str) -> int:
    """Return the weighted sum modulo 11, worked out here anew."""
    return sum(int(d) * w for d, w in zip(serial8, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11


@given(s10s, st.integers(0, 7), st.sampled_from(string.digits))
@example(s10.make("RA", 0, "GB"), 0, "9")  # remainder 0 becomes 6: both give check digit 5, and nobody notices
def test_a_misread_serial_digit_is_caught_unless_the_remainder_goes_between_0_and_6(
    item: s10.S10, place: int, digit: str
) -> None:
    """A remainder of 0 gives 11, written 5; a remainder of 6 gives 5 too. No other two remainders share a check digit.

    A remainder of 1 gives 10, written 0, which no other remainder gives: that folding costs nothing.
    """
    assume(item.serial[place] != digit)
    misread = item.serial[:place] + digit + item.serial[place + 1 :]
    unnoticed = {remainder(item.serial), remainder(misread)} == {0, 6}
    number = f"{item.service_indicator}{misread}{item.check_digit}{item.country}"
    assert remainder(misread) != remainder(item.serial)
    assert s10.fits(number) is unnoticed


@given(s10s, st.sampled_from(string.digits))
def test_a_misread_s10_check_digit_is_always_caught(item: s10.S10, digit: str) -> None:
    assume(int(digit) != item.check_digit)
    assert not s10.fits(f"{item.service_indicator}{item.serial}{digit}{item.country}")


@given(digits, st.data())
def test_mod_10_catches_every_single_misread_digit(body: str, data: st.DataObject) -> None:
    number = f"{body}{gs1.check_digit(body)}"
    assert gs1.fits(number)
    place = data.draw(st.integers(0, len(number) - 1))
    digit = data.draw(st.sampled_from(string.digits))
    assume(number[place] != digit)
    assert not gs1.fits(number[:place] + digit + number[place + 1 :])


@given(digits, st.data())
def test_mod_10_catches_swapped_neighbours_unless_they_differ_by_5(body: str, data: st.DataObject) -> None:
    number = f"{body}{gs1.check_digit(body)}"
    place = data.draw(st.integers(0, len(number) - 2))
    first, second = number[place], number[place + 1]
    assume(first != second)
    swapped = number[:place] + second + first + number[place + 2 :]
    assert gs1.fits(swapped) is (abs(int(first) - int(second)) == 5)


@given(st.integers(0, 9), prefixes, st.data())
def test_an_sscc_reads_as_it_was_made(extension_digit: int, prefix: str, data: st.DataObject) -> None:
    key = gs1.make_sscc(extension_digit, prefix, data.draw(st.integers(0, 10 ** (16 - len(prefix)) - 1)))
    assert gs1.sscc_fits(key.value)
    assert gs1.sscc(key.value) == key == gs1.parse(f"(00){key.value}") == gs1.parse(f"]C100{key.value}")


@given(keys())
def test_a_gs1_key_is_the_same_in_every_form(drawn: tuple[gs1.Gs1Key, int]) -> None:
    key, length = drawn
    assert gs1.parse(key.element_string) == key
    assert gs1.parse(key.to_digital_link()) == key
    assert gs1.parse(key.to_digital_link("parcels.example:8443") + "?x=1") == key
    assert gs1.parse(key.to_epc_uri(company_prefix_length=length)) == key


@given(keys())
def test_a_key_that_names_one_thing_has_one_canonical_number(drawn: tuple[gs1.Gs1Key, int]) -> None:
    key, length = drawn
    forms = [key.element_string, key.to_digital_link(), key.to_epc_uri(company_prefix_length=length)]
    if not key.names_one_thing:
        for form in forms:
            try:
                door.canonical(form)
            except BadGs1Key:
                continue
            raise AssertionError(form)
        return
    (number,) = {door.canonical(form) for form in forms}
    assert door.canonical(number) == number
    assert len(number) <= door.NUMBER_LENGTH_MAX


@given(st.integers(0, 10**12 - 1))
def test_an_own_number_reads_as_it_was_made(serial: int) -> None:
    number = door.OwnFormat().make(serial)
    assert door.identify(number).kind == "own_number"
    assert door.canonical(door.grouped(number).lower()) == number


@given(st.uuids())
def test_an_item_id_reads_as_it_was_made(item: uuid.UUID) -> None:
    assert door.identify(door.item_id(item)).item == item
    assert door.canonical(f"itm_{item}".upper()) == door.item_id(item)


@given(
    st.sampled_from(["92", "94"]), st.text(string.digits, min_size=18, max_size=18), st.text(string.digits, max_size=9)
)
def test_an_impb_keeps_its_digits(channel: str, rest: str, routing: str) -> None:
    body = channel + rest[:3] + "9" + rest[3:18] + "7"
    number = f"{body[:21]}{gs1.check_digit(body[:21])}"
    routed = f"420{routing[:5]:0<5}{number}" if routing else number
    item = impb.parse(routed)
    assert str(item) == number == door.canonical(routed)


# Text that looks like something: pieces of every form, so that the deep branches are reached.
marks = "(00) (01) (21) (8003) (8004) ]C1 \x1d urn:epc:id: sscc: grai: itip: https:// http://[ /00/ /01/ /21/ /8003/"
marks += " /track/ % %2F itm_ PW RA GB 420 94 106141412345678908 0614141. 1Z GM \u00b2 \u0663 \u00df \ufb01"
pieces = st.one_of(
    st.text(max_size=30),
    st.text(string.ascii_uppercase + string.digits + " -", max_size=40),
    st.text(string.digits, max_size=40),
    st.sampled_from([*marks.split(" "), "\ud800"]),
)


@given(st.lists(pieces, max_size=8).map("".join))
@example("(00)" + "\u0662" * 18)
@example("]C18003" + "\u0660" * 14)
@example("https://\u2100/00/106141412345678908")
@example("https://example.com/track/%ff")
def test_the_door_raises_nothing_but_bad_item_number_and_its_answer_is_final(text: str) -> None:
    try:
        found = door.identify(text)
    except BadItemNumber as refused:
        assert len(text) < 12 or text not in refused.message  # noqa: PT017 -- a refusal repeats nothing
        return
    assert door.canonical(text) == found.number
    again = door.identify(found.number)
    assert (again.kind, again.number) == (found.kind, found.number)
    assert len(found.number) <= door.NUMBER_LENGTH_MAX


@given(st.text(max_size=80))
def test_recognising_never_raises(text: str) -> None:
    for reading in carriers.recognise(text):
        assert carriers.recognise(reading.number)
