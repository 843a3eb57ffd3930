"""Rules and their reasons in words that people read, also in Spanish."""

from __future__ import annotations

import pytest
from django.utils import translation
from tests.risk.language.written import SCHEMA

from parcelward.base.standards import money
from parcelward.risk import rule_book, rule_words
from parcelward.risk.facts import SCHEMA as SCHEMA_OF_ORDERS
from parcelward.risk.language import interpreting, reading
from parcelward.risk.language.problems import Refused
from parcelward.risk.language.trying import Tried
from parcelward.risk.wire import Answer, Because, Reason

EUR = money.currency("EUR")
ORDER = {
    "cards_1h": 4,
    "amount_minor": 600_00,
    "usual_minor": 100_00.0,
    "account_age": 93_784,
    "new_address": True,
    "by_proxy": False,
    "country": "ES",
    "card_country": "PT",
    "goods": ["knife", "book"],
}
WHY = [
    ("cards_1h > 3", "4 cards in 1 h (limit 3)"),
    ("amount_minor >= 500_00", "an order worth 600.00 EUR (limit 500.00 EUR)"),
    ("account_age < 7d", "an account that is 1 d 2 h old (limit 7 d)"),
    ("new_address", "the address is new"),
    ("not by_proxy", "not: ordered through a proxy"),
    ("country == 'ES'", "sent to ES"),
    ("country not in ['FR', 'DE']", "sent to ES (not DE, FR)"),
    ("'knife' in goods", "goods: book, knife"),
    ("not known(score)", "not known: a score of …"),
    (
        "amount_minor > 3 * usual_minor",
        "an order worth 600.00 EUR, a usual order worth 100.00 EUR (amount_minor > 3 * usual_minor)",
    ),
    ("country != card_country", "sent to ES, a card from PT (country != card_country)"),
]


@pytest.mark.parametrize(("text", "said"), WHY)
def test_a_reason_has_the_values_that_made_it(text: str, said: str) -> None:
    found = interpreting.examine(reading.read(text, SCHEMA), ORDER)
    assert found.fires
    with translation.override("en"):
        assert [rule_words.because(why, SCHEMA, EUR) for why in found.because] == [said]


READ_BACK = [
    ("cards_1h > 3 and new_address", "more than 3 cards in 1 h and the address is new"),
    (
        "(cards_1h >= 3 or score > 0.5) and not new_address",
        "(at least 3 cards in 1 h or a score of more than 0.5) and not: the address is new",
    ),
    (
        "account_age < 36h and amount_minor <= 5_00",
        "an account that is less than 1 d 12 h old and an order worth at most 5.00 EUR",
    ),
    ("country in ['ES', 'PT'] and country != card_country", "sent to one of ES, PT and country != card_country"),
    ("country != 'ES'", "sent to anything but ES"),
    ("'knife' not in goods", "goods: without knife"),
    ("startswith(country, 'E')", "sent to something that begins with E"),
    ("not known(score) or known(goods)", "not known: a score of … or known: goods: …"),
    ("amount_minor > 3 * usual_minor", "amount_minor > 3 * usual_minor"),
]


@pytest.mark.parametrize(("text", "said"), READ_BACK)
def test_a_rule_is_read_back_in_plain_words(text: str, said: str) -> None:
    with translation.override("en"):
        assert rule_words.read_back(reading.read(text, SCHEMA), EUR) == said


def test_what_a_rule_would_have_done() -> None:
    found = Tried("cards_1h > 3", 1000, stopped=41, stopped_disputed=38, disputed=50, stopped_alone=3, examples=())
    with translation.override("en"):
        assert rule_words.tried(found, Answer.HOLD) == "Would have stopped 41 orders, 38 of them later disputed."
        assert rule_words.tried(found, Answer.REVIEW).startswith("Would have shown 41 orders to a person")
        assert rule_words.tried(found, Answer.STEP_UP).startswith("Would have asked for more proof of 41 orders")
    with translation.override("es"):
        assert rule_words.tried(found, Answer.REFUSE) == "Habría detenido 41 pedidos, 38 de ellos disputados después."


def test_what_is_wrong_is_said_with_its_place_and_what_was_meant() -> None:
    with pytest.raises(Refused) as refused:
        reading.read("new_address and crads_1h > 3", SCHEMA)
    with translation.override("en"):
        [problem] = rule_words.problems(refused.value)
        assert (problem.pointer, problem.code) == ("/text#char=16,24", "unknown_name")
        assert problem.message == "There is no field called crads_1h. Did you mean cards_1h?"
        assert problem.suggestion == "cards_1h"
    with translation.override("es"):
        [finding] = refused.value.findings
        assert rule_words.wrong(finding) == "No hay ningún campo llamado crads_1h. ¿Quiso decir cards_1h?"


def test_what_shipped_rules_say_is_translated_and_what_an_operator_wrote_stays() -> None:
    assert sorted(rule_words.SHIPPED) == sorted(version.words for version in rule_book.shipped())
    shipped = Reason("cards_of_account", "This account used many different cards within an hour")
    with translation.override("es"):
        assert rule_words.reason(shipped) == "Esta cuenta usó muchas tarjetas distintas en una hora"
        assert rule_words.reason(Reason("own", "Ours")) == "Ours"
        because = Because("account_order_distinct_card_1h", ">", 4, 3, "", ())
        assert rule_words.because(because, SCHEMA_OF_ORDERS).startswith(
            "4 tarjetas distintas en pedidos de esta cuenta"
        )
