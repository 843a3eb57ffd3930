from __future__ import annotations

import uuid

import pytest

from parcelward.base.standards import identify as door
from parcelward.base.standards.errors import CHECK_DIGIT_WRONG, BadGs1Key, BadItemNumber
from parcelward.base.standards.identify import OwnFormat, canonical, identify

SSCC = "106141412345678908"
ITEM = uuid.UUID("0190a4f2-7c3b-7d51-9f2e-3a4b5c6d7e8f")
OWN = "PW1234567890128"
IMPB = "9261290113185417468510"


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("RA473012345GB", "s10", "RA473012345GB"),
        (" ra 4730 1234-5 gb\n", "s10", "RA473012345GB"),
        (SSCC, "sscc", SSCC),
        ("1 0614141 234567890 8", "sscc", SSCC),
        ("00 1 0614141 234567890 8", "sscc", SSCC),
        (f"(00) {SSCC}", "sscc", SSCC),
        (f"]C100{SSCC}", "sscc", SSCC),
        ("urn:epc:id:sscc:0614141.1234567890", "sscc", SSCC),
        (f"https://parcels.example/00/{SSCC}", "sscc", SSCC),
        (f"\ufeffhttps://parcels.example/track/00/{SSCC}", "sscc", SSCC),
        ("(8003)00614141123452ab-1", "grai", "(8003)00614141123452ab-1"),
        ("https://id.gs1.org/8003/00614141123452ab-1", "grai", "(8003)00614141123452ab-1"),
        ("urn:epc:id:grai:0614141.12345.ab-1", "grai", "(8003)00614141123452ab-1"),
        ("https://id.gs1.org/01/80614141123458/21/6789", "digital_link", "(01)80614141123458(21)6789"),
        ("urn:epc:id:sgtin:0614141.812345.6789", "digital_link", "(01)80614141123458(21)6789"),
        ("https://id.gs1.org/8004/4000001111", "digital_link", "(8004)4000001111"),
        (OWN, "own_number", OWN),
        ("pw 1234 5678 9012 8", "own_number", OWN),
        (IMPB, "impb", IMPB),
        (f"420 10282 0000 {IMPB}", "impb", IMPB),
        (f"]C142010282\x1d{IMPB}", "impb", IMPB),
        (f"42010282\x1d{IMPB}", "impb", IMPB),
        ("]C0RA473012345GB", "s10", "RA473012345GB"),
        ("]Q1https://id.gs1.org/8004/4000001111", "digital_link", "(8004)4000001111"),
        ("7196 9010 7560 0307 7385", "impb", "9171969010756003077385"),
        ("1Z 5R8 939 03 5756 7127", "carrier", "1Z5R89390357567127"),
        ("itm_0190a4f27c3b7d519f2e3a4b5c6d7e8f", "item_uuid", "itm_0190a4f27c3b7d519f2e3a4b5c6d7e8f"),
        (" ITM_0190A4F2-7C3B-7D51-9F2E-3A4B5C6D7E8F", "item_uuid", "itm_0190a4f27c3b7d519f2e3a4b5c6d7e8f"),
        ("https://parcels.example/track/RA473012345GB", "s10", "RA473012345GB"),
        ("https://parcels.example/track/pw%201234%205678%209012%208/proof?x=1", "own_number", OWN),
        (f"https://parcels.example/track/{door.item_id(ITEM)}", "item_uuid", door.item_id(ITEM)),
    ],
)
def test_what_it_is_and_the_string_that_stands_for_it(text: str, kind: str, number: str) -> None:
    found = identify(text)
    assert (found.kind, found.number) == (kind, number)
    assert canonical(text) == number
    assert canonical(number) == number


def test_what_else_is_known_comes_along() -> None:
    assert identify(door.item_id(ITEM)).item == ITEM
    sscc = identify(SSCC).gs1_key
    assert sscc is not None
    assert sscc.to_digital_link() == f"https://id.gs1.org/00/{SSCC}"
    assert [r.courier for r in identify("1Z5R89390357567127").readings] == ["ups"]


@pytest.mark.parametrize(
    "text",
    [
        "RA473012346GB",
        SSCC[:-1] + "7",
        f"(00){SSCC[:-1]}7",
        OWN[:-1] + "7",
        IMPB[:-1] + "1",
        f"420102820000{IMPB[:-1]}1",
        f"]C142010282\x1d{IMPB[:-1]}1",
        "]C100106141412345678907",
        "012345678901234561",  # fits another carrier's check over its last 16 digits, but not the SSCC's
        "1Z5R89390357567126",
        "LX123456789CN",  # a carrier's wider pattern without a check digit must not save a misread S10
    ],
)
def test_a_misread_character_is_refused_in_words_that_help(text: str) -> None:
    with pytest.raises(BadItemNumber, match="one character was probably misread") as refused:
        canonical(text)
    assert refused.value.code == CHECK_DIGIT_WRONG
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Type or scan"),
        (" \u200b", "Type or scan"),
        ("RA47301234OGB", "letter where a digit"),
        ("hello", "No carrier's number"),
        ("RA473012345GB; DROP", "nothing else"),
        ("ΡΑ473012345GB", "nothing else"),  # noqa: RUF001 -- Greek capitals that look Latin
        ("ß473012345GB", "nothing else"),  # in capitals it would be SS473012345GB, which nobody typed
        ("itm_123", "32 characters"),
        ("itm_" + "g" * 32, "32 characters"),
        ("x" * 513, "at most 512"),
        ("https://example.com/", "no GS1 key"),
        ("https://example.com/track/", "no GS1 key"),
        ("https://example.com/track/https%3A%2F%2Fexample.com%2Ftrack%2Fx", "no GS1 key"),
        ("(01)80614141123458", "not one parcel"),
        ("(414)0614141123452", "not one parcel"),
        ("(8003)00614141123452", "not one parcel"),
    ],
)
def test_every_refusal_says_what_to_do_and_repeats_nothing(text: str, words: str) -> None:
    with pytest.raises(BadItemNumber, match=words) as refused:
        identify(text)
    assert len(text) < 5 or text not in str(refused.value)


def test_errors_of_gs1_are_errors_of_the_door() -> None:
    assert issubclass(BadGs1Key, BadItemNumber)


def test_carriers_patterns_can_be_left_out() -> None:
    with pytest.raises(BadItemNumber, match="No carrier's number"):
        identify("1Z5R89390357567127", other_carriers=False)
    with pytest.raises(BadItemNumber, match="No carrier's number"):
        identify("1Z5R89390357567126", other_carriers=False)
    assert identify(IMPB, other_carriers=False).kind == "impb"


def test_an_operator_brings_its_own_formats() -> None:
    own = (OwnFormat("QX", 10), OwnFormat("QXRS", 8))
    for form, serial in zip(own, (42, 10**8 - 1), strict=True):
        number = form.make(serial)
        assert identify(number, own=own).kind == "own_number"
        assert canonical(number, own=own) == number
        with pytest.raises(BadItemNumber):
            canonical(number)
    with pytest.raises(BadItemNumber):
        identify(OWN, own=own)


@pytest.mark.parametrize(
    ("prefix", "digits"), [("", 12), ("P", 12), ("PARCEL", 12), ("pw", 12), ("P1", 12), ("PW", 7), ("PW", 21)]
)
def test_an_own_format_that_could_be_mistaken_is_refused(prefix: str, digits: int) -> None:
    with pytest.raises(ValueError, match="own number"):
        OwnFormat(prefix, digits)


def test_own_serials_have_their_room() -> None:
    assert OwnFormat().make(123456789012) == OWN
    for serial in (-1, 10**12):
        with pytest.raises(BadItemNumber):
            OwnFormat().make(serial)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("RA473012345GB", "RA 4730 1234 5 GB"),
        (OWN, "PW 1234 5678 9012 8"),
        (SSCC, "1061 4141 2345 6789 08"),
        ("1Z5R89390357567127", "1Z5R89390357567127"),
        ("(8004)4000001111", "(8004)4000001111"),
    ],
)
def test_grouped_for_eyes(number: str, shown: str) -> None:
    assert door.grouped(number) == shown
