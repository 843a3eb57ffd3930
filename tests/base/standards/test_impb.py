from __future__ import annotations

import pytest

from parcelward.base.standards import gs1, impb
from parcelward.base.standards.errors import CHECK_DIGIT_WRONG, BadItemNumber
from parcelward.base.standards.impb import Impb


def number(body: str) -> str:
    """Return made-up digits with their check digit."""
    return f"{body}{gs1.check_digit(body)}"


NINE = number("92" + "612" + "901131854" + "1746851")  # 22 digits, mailer id of nine
SIX = number("93" + "001" + "123456" + "0987654321")  # 22 digits, mailer id of six
LONG = number("92" + "055" + "901131854" + "12345678901")  # 26 digits
LONGEST = number("94" + "055" + "901131854" + "123456789012345")  # 30 digits
RETAIL = number("95" + "055" + "1106960504860062")  # 22 digits
CONFIRMED = number("91" + "01" + "123456789" + "00000001")  # 22 digits


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (NINE, ("92", "612", "901131854", "1746851", "", "")),
        ("420" + "10282" + NINE, ("92", "612", "901131854", "1746851", "10282", "")),
        ("420" + "10282" + "0001" + NINE, ("92", "612", "901131854", "1746851", "10282", "0001")),
        (SIX, ("93", "001", "123456", "0987654321", "", "")),
        (LONG, ("92", "055", "901131854", "12345678901", "", "")),
        ("420" + "10282" + LONG, ("92", "055", "901131854", "12345678901", "10282", "")),
        (LONGEST, ("94", "055", "901131854", "123456789012345", "", "")),
        ("420" + "10282" + LONGEST, ("94", "055", "901131854", "123456789012345", "10282", "")),
        (RETAIL, ("95", "055", "", "1106960504860062", "", "")),
        (CONFIRMED, ("91", "01", "123456789", "00000001", "", "")),
        (CONFIRMED[2:], ("91", "01", "123456789", "00000001", "", "")),
        (number("7112345678912345678"), ("", "71", "123456789", "12345678", "", "")),
    ],
)
def test_the_fields_of_each_construct(text: str, fields: tuple[str, ...]) -> None:
    item = impb.parse(text)
    assert (item.channel, item.service_type, item.mailer_id, item.serial, item.zip5, item.plus4) == fields
    assert impb.parse(" ".join(text)) == item
    assert impb.parse(str(item)) == Impb(*fields[:4], item.check_digit)


def test_routing_is_no_part_of_the_identity() -> None:
    assert str(impb.parse("42010282" + NINE)) == str(impb.parse("420102820001" + NINE)) == NINE


@pytest.mark.parametrize(
    "text", [NINE, SIX, LONG, LONGEST, RETAIL, CONFIRMED, "420102820001" + NINE, "42010282" + LONG]
)
def test_every_other_check_digit_is_refused(text: str) -> None:
    for digit in set("0123456789") - {text[-1]}:
        with pytest.raises(BadItemNumber) as refused:
            impb.parse(text[:-1] + digit)
        assert refused.value.code == CHECK_DIGIT_WRONG


@pytest.mark.parametrize(
    "text",
    [
        "",
        NINE[:-1],
        NINE + "0",
        number("96" + NINE[2:-1]),  # no such channel
        number("92" + SIX[2:-1]),  # channel 92 wants a mailer id of nine digits
        number("93" + NINE[2:-1]),  # channel 93 one of six
        number("92" + LONGEST[2:-1]),  # 30 digits are for channel 94
        "421" + "10282" + NINE,
        "420" + "1028" + NINE,
        NINE[:-1] + "X",
        "9" * 600,
    ],
)
def test_what_is_not_shaped_is_refused(text: str) -> None:
    with pytest.raises(BadItemNumber) as refused:
        impb.parse(text)
    assert refused.value.code == "bad_item_number"
    assert not impb.is_shaped(text)
