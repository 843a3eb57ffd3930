from __future__ import annotations

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI

from parcelward.base.standards import gs1
from parcelward.base.standards.errors import CHECK_DIGIT_WRONG, BadGs1Key
from parcelward.base.standards.gs1 import Gs1Key

SSCC = Gs1Key("00", "106141412345678908")
GRAI = Gs1Key("8003", "00614141123452AB-c/1")


@pytest.mark.parametrize(
    "text",
    [
        "(00)106141412345678908",
        "(00) 1 0614141 234567890 8",
        "00106141412345678908",
        "]C100106141412345678908",
        "]d2\x1d00106141412345678908\x1d420DE50667",
        "(00)106141412345678908(402)06141411234567890(420)50667",
        "urn:epc:id:sscc:0614141.1234567890",
        "URN:EPC:ID:sscc:0614141.1234567890",
        "https://id.gs1.org/00/106141412345678908",
        "HTTP://parcels.example:8000/00/106141412345678908/",
        "https://example.com/some/stem/00/106141412345678908?02=00614141123452&37=25#top",
        "https://example.com/01/shelf/00/106141412345678908",
        "https://example.com/00/%31%30614141234567890%38",
    ],
)
def test_every_form_of_an_sscc_is_one_key(text: str) -> None:
    assert gs1.parse(text) == SSCC


@pytest.mark.parametrize(
    "text",
    [
        "(8003)00614141123452AB-c/1",
        "]C1800300614141123452AB-c/1",
        "urn:epc:id:grai:0614141.12345.AB-c%2F1",
        "https://id.gs1.org/8003/00614141123452AB-c%2F1",
    ],
)
def test_every_form_of_a_grai_is_one_key_and_keeps_its_case(text: str) -> None:
    assert gs1.parse(text) == GRAI
    assert GRAI.name == "GRAI"


@pytest.mark.parametrize(
    ("text", "key", "epc"),
    [
        ("(01)80614141123458(21)6789", Gs1Key("01", "80614141123458", "21", "6789"), "sgtin:0614141.812345.6789"),
        (
            "https://id.gs1.org/01/80614141123458/10/LOT/21/67%2F89",
            Gs1Key("01", "80614141123458", "21", "67/89"),
            "sgtin:0614141.812345.67%2F89",
        ),
        (
            "https://id.gs1.org/01/614141123452/21/7",
            Gs1Key("01", "00614141123452", "21", "7"),
            "sgtin:0614141.012345.7",
        ),
        ("(01)80614141123458(235)Tab.1", Gs1Key("01", "80614141123458", "235", "Tab.1"), "upui:0614141.812345.Tab.1"),
        ("(414)0614141123452", Gs1Key("414", "0614141123452"), "sgln:0614141.12345.0"),
        ("(414)0614141123452(254)0", Gs1Key("414", "0614141123452"), "sgln:0614141.12345.0"),
        ("(414)0614141123452(254)d4", Gs1Key("414", "0614141123452", "254", "d4"), "sgln:0614141.12345.d4"),
        ("(417)0614141123452", Gs1Key("417", "0614141123452"), "pgln:0614141.12345"),
        ("(253)0614141123452AB", Gs1Key("253", "0614141123452AB"), "gdti:0614141.12345.AB"),
        ("(255)061414112345207", Gs1Key("255", "061414112345207"), "sgcn:0614141.12345.07"),
        ("(401)0614141xyz47/11", Gs1Key("401", "0614141xyz47/11"), "ginc:0614141.xyz47%2F11"),
        ("(402)06141411234567890", Gs1Key("402", "06141411234567890"), "gsin:0614141.123456789"),
        ("(8004)4000001111", Gs1Key("8004", "4000001111"), "giai:4000001.111"),
        (
            "(8006)806141411234580102(21)9",
            Gs1Key("8006", "806141411234580102", "21", "9"),
            "itip:0614141.812345.01.02.9",
        ),
        ("(8010)0614141AB/1(8011)12", Gs1Key("8010", "0614141AB/1", "8011", "12"), "cpi:0614141.AB%2F1.12"),
        ("(8017)061414112345678902", Gs1Key("8017", "061414112345678902"), "gsrnp:0614141.1234567890"),
        ("(8018)061414112345678902", Gs1Key("8018", "061414112345678902"), "gsrn:0614141.1234567890"),
    ],
)
def test_each_key_in_all_three_vocabularies(text: str, key: Gs1Key, epc: str) -> None:
    assert gs1.parse(text) == key
    assert key.to_epc_uri(company_prefix_length=7) == f"urn:epc:id:{epc}"
    assert gs1.parse(f"urn:epc:id:{epc}") == key
    assert gs1.parse(key.to_digital_link()) == key
    assert gs1.parse(key.to_digital_link("parcels.example")) == key
    assert gs1.parse(key.element_string) == key


@pytest.mark.parametrize(
    "key",
    [
        SSCC,
        GRAI,
        Gs1Key("01", "80614141123458", "21", "!\"%&'()*+,-./"),
        Gs1Key("414", "0614141123452", "254", ":;<=>?_Zz9"),
    ],
)
def test_our_digital_link_is_the_one_that_biip_writes(key: Gs1Key) -> None:
    uri = GS1DigitalLinkURI.parse(key.to_digital_link())
    assert uri.as_canonical_uri() == key.to_digital_link()


def test_brackets_inside_a_serial_are_escaped() -> None:
    key = gs1.parse("urn:epc:id:giai:0614141.A(10)B")
    assert key == Gs1Key("8004", "0614141A(10)B")
    assert key.element_string == r"(8004)0614141A\(10)B"
    assert gs1.parse(key.element_string) == key


@pytest.mark.parametrize(
    "text",
    [
        "(00)106141412345678907",
        "00106141412345678907",
        "https://id.gs1.org/00/106141412345678907",
        "(8003)00614141123453ABC",
        "(414)0614141123453",
        "(8006)806141411234590102(21)9",
    ],
)
def test_a_wrong_check_digit_is_refused_as_such(text: str) -> None:
    with pytest.raises(BadGs1Key) as refused:
        gs1.parse(text)
    assert refused.value.code == CHECK_DIGIT_WRONG


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "(00)",
        "(00)10614141234567890",
        "(00)1061414123456789080",
        "(00)10614141234567890x",
        "x(00)106141412345678908",
        "(x)(00)106141412345678908",
        "https://id.gs1.org/00/106141412345678908?" + "x" * 512,
        "(420)50667",  # an attribute alone names nothing
        "(402)06141411234567890(8004)4000001111",  # two things
        "(8003)10614141123452ABC",  # the filler is 0
        "(8003)00614141123452" + "A" * 17,
        "(8003)00614141123452AB~C",
        "(8004)" + "4" * 31,
        "(99)x",
        "99x",
        "]C1",
        "urn:epc:id:sscc:0614141.123456789",  # a digit short
        "urn:epc:id:sscc:06141.123456789012",  # prefix too short
        "urn:epc:id:sscc:0614141.12345678٩0",
        "urn:epc:id:sscc:0614141",
        "urn:epc:id:grai:0614141.12345",
        "urn:epc:id:grai:0614141.12345.",
        "urn:epc:id:grai:0614141.12345.a%2",
        "urn:epc:id:grai:0614141.12345.a%C3%A9",
        "urn:epc:id:grai:0614141.12345.a/b",
        "urn:epc:id:gid:1.2.3",
        "urn:epc:idpat:sgtin:0614141.112345.*",
        "urn:epc:tag:sscc-96:0.0614141.1234567890",
        "https://id.gs1.org/sscc/106141412345678908",  # a convenience name
        "https://id.gs1.org/00",
        "https://id.gs1.org/00/106141412345678908/21/X",  # an SSCC has no serial
        "https://id.gs1.org/01/80614141123458/21/A/21/B",
        "https://id.gs1.org/AQnYUc1gmiCNV4JGYgYAQ",  # compressed
        "https://[::1/00/106141412345678908",
        "ftp://id.gs1.org/00/106141412345678908",
        "https://id.gs1.org/" + "x/" * 300,
    ],
)
def test_what_names_no_one_key_is_refused(text: str) -> None:
    with pytest.raises(BadGs1Key):
        gs1.parse(text)


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("(00)106141412345678908", True),
        ("(01)80614141123458", False),
        ("(01)80614141123458(21)1", True),
        ("(8003)00614141123452", False),
        ("(8003)00614141123452A", True),
        ("(253)0614141123452", False),
        ("(414)0614141123452(254)d4", False),
        ("(8018)061414112345678902", False),
        ("(8004)4000001111", True),
        ("(8010)0614141AB", False),
    ],
)
def test_which_keys_name_one_thing(text: str, *, one: bool) -> None:
    assert gs1.parse(text).names_one_thing is one


@pytest.mark.parametrize(
    "text", ["(01)80614141123458", "(8003)00614141123452", "(253)0614141123452", "(255)0614141123452"]
)
def test_a_class_has_no_epc_uri(text: str) -> None:
    with pytest.raises(BadGs1Key, match="class of things"):
        gs1.parse(text).to_epc_uri(company_prefix_length=7)


@pytest.mark.parametrize(
    ("text", "length"), [("(00)106141412345678908", 5), ("(00)106141412345678908", 13), ("(8004)40000A1", 7)]
)
def test_a_company_prefix_that_cannot_be(text: str, length: int) -> None:
    with pytest.raises(BadGs1Key):
        gs1.parse(text).to_epc_uri(company_prefix_length=length)


def test_foreign_digits_are_no_digits() -> None:
    for text in ("(00)\u0661\u066006141412345678908", "]C100\u0661\u066006141412345678908"):
        with pytest.raises(BadGs1Key, match="plain letters"):
            gs1.parse(text)


def test_make_sscc() -> None:
    assert gs1.make_sscc(1, "0614141", 234567890) == SSCC
    for extension_digit, prefix, serial in (
        (10, "0614141", 1),
        (1, "06141", 1),
        (1, "0614141", 10**9),
        (1, "0614141", -1),
    ):
        with pytest.raises(BadGs1Key):
            gs1.make_sscc(extension_digit, prefix, serial)


def test_check_digit_wants_digits() -> None:
    assert gs1.check_digit("10614141234567890") == 8
    assert gs1.check_digit("629104150021") == 3, "of a printed code"
    assert gs1.check_digit("00000000000000000") == 0
    for text in ("", "12a", "١٢"):
        with pytest.raises(BadGs1Key):
            gs1.check_digit(text)
