"""What customs asks, purely: where, of what, on which form; and CN 22 as it is drawn."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from tests.shipping.sample_labels import pages, text_of

from parcelward.base.vault import Personal
from parcelward.shipping.customs import paper, rules
from parcelward.shipping.customs.wire import CN22, CN23, LINES_MAX, Customs, Goods, Reason

SHIRTS = Goods("Cotton T-shirts", 2, 400, 4_000, "EUR", "PT", "6109.10")
SALE = Customs(Reason.SALE, (SHIRTS,), sender_contact="+49 30 5550175", addressee_contact="a@mail.example")


def wrong(said: Customs | None, to: str = "US", weight_g: int = 900) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in rules.problems(said, to=to, weight_g=weight_g)]


def line(**changed: object) -> Customs:
    return dataclasses.replace(SALE, goods=(dataclasses.replace(SHIRTS, **changed),))  # type: ignore[arg-type]  # fields


@pytest.mark.parametrize(
    ("origin", "to", "needed"),
    [
        *(("US", "US", False), ("US", "FR", True), ("DE", "FR", False), ("FR", "MC", False), ("FR", "CH", True)),
        *(("CH", "LI", False), ("GB", "IM", False), ("GB", "JE", True), ("US", "PR", False), ("DE", "GB", True)),
    ],
)
def test_what_crosses_a_border_of_customs_is_declared(origin: str, to: str, needed: bool) -> None:
    assert rules.needed(origin, to) is rules.needed(to, origin) is needed


def test_a_whole_declaration_is_enough() -> None:
    assert wrong(SALE) == wrong(SALE, to="FR") == []
    assert wrong(None) == [("", "missing")]
    assert {name for name, _code in wrong(Customs())} == {
        *("/reason", "/sender_contact", "/addressee_contact", "/goods"),
    }


@pytest.mark.parametrize("words", ["gift", "2 Gifts", "parts", "Sample", "various goods", "x"])
def test_words_that_name_nothing_are_refused(words: str) -> None:
    assert rules.description_problem(words) == "vague"


@pytest.mark.parametrize("words", ["Cotton T-shirts", "gift box of chocolate", "toy car", "spare tyres", "Bücher"])
def test_words_that_name_a_thing_are_taken(words: str) -> None:
    assert rules.description_problem(words) == ""


def test_a_gift_needs_a_code_in_europe_alone_and_documents_nowhere() -> None:
    gift = dataclasses.replace(line(hs_code=""), reason=Reason.GIFT)
    assert wrong(gift, to="US") == []
    assert wrong(gift, to="FR") == wrong(line(hs_code=""), to="US") == [("/goods/0/hs_code", "missing")]
    papers = Goods("Signed contract", 1, 50)
    assert wrong(dataclasses.replace(SALE, reason=Reason.DOCUMENTS, goods=(papers,)), to="FR") == []


def test_another_reason_is_explained() -> None:
    assert wrong(dataclasses.replace(SALE, reason=Reason.OTHER)) == [("/explanation", "missing")]


def test_there_are_so_many_lines_and_no_more() -> None:
    many = dataclasses.replace(SALE, goods=(dataclasses.replace(SHIRTS, net_weight_g=10),) * LINES_MAX)
    assert wrong(many) == []
    assert wrong(dataclasses.replace(many, goods=(*many.goods, SHIRTS))) == [("/goods", "bad_count")]


@pytest.mark.parametrize(
    ("value_minor", "weight_g", "mark", "form"),
    [
        *((4_000, 900, "LA", CN22), (4_000, 2_000, "", CN22), (4_000, 2_001, "LA", CN23)),
        *((35_100, 900, "LA", CN22), (35_101, 900, "LA", CN23)),
        *((4_000, 900, "CP", CN23), (4_000, 900, "EE", CN23)),
    ],
)
def test_light_letter_post_of_little_value_has_the_small_form(
    value_minor: int, weight_g: int, mark: str, form: str
) -> None:
    said = line(value_minor=value_minor)
    assert rules.form_of(said, weight_g=weight_g, s10_mark=mark, sdr_minor={"EUR": 117}) == form


def test_without_a_rate_it_is_the_large_form() -> None:
    assert rules.form_of(SALE, weight_g=900, s10_mark="LA", sdr_minor={"USD": 136}) == CN23


def test_the_small_form_is_drawn() -> None:
    one = paper.Paper(
        form=CN22,
        operator="Example Post",
        number="LA473012345US",
        weight_g=900,
        postage="7.90 USD",
        posted=dt.date(2026, 11, 27),
        customs=SALE,
        sender=(Personal("Marrow & Pith"),),
        sender_reach=Personal("+49 30 5550175"),
        addressee=(Personal("Canary Quillfeather"),),
        addressee_reach=Personal("a@mail.example"),
    )
    drawn = paper.render([one, dataclasses.replace(one, form=CN23)])
    assert drawn == paper.render([one, dataclasses.replace(one, form=CN23)]), "nothing in it says when it was made"
    small, large = text_of(drawn).split("CN 23")[0], text_of(drawn)
    for part in ("CN 22", "2 x Cotton T-shirts", "610910", "40.00 EUR", "0.400 kg net", "LA 473 012 345 US"):
        assert part in small, part
    assert "Quillfeather" in large
    assert len(pages(drawn)) == 2
