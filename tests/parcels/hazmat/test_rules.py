"""The law at its limits: batteries by watt-hours, grams, number and place; liquids, gases, numbers; operators."""

from __future__ import annotations

from typing import Any

import pytest

from parcelward.parcels.hazmat import queries, words
from parcelward.parcels.hazmat.wire import Answer, Answers, Declaration, Mode, OperatorRule, Screened

ACCEPT, GROUND, INSPECT, HOLD, REFUSE = Answer


def screened(description: str, *, mode: Mode = Mode.AIR, rules: Any = None, **given: Any) -> Screened:
    fields = {"hs_code", "un", "net_weight_g", "volume_ml", "number", "international", "language"}
    said = {key: value for key, value in given.items() if key not in fields}
    rest: dict[str, Any] = {key: value for key, value in given.items() if key in fields}
    return queries.screen(Declaration(description, answers=Answers(**said), **rest), mode, rules or {})


def ion(**given: Any) -> Screened:
    usual: dict[str, Any] = {
        "battery": "lithium_ion",
        "battery_place": "in_device",
        "battery_is": "battery",
        "battery_number": 1,
        "watt_hours": 15,
        "condition": "new",
    }
    return screened("Smartphone", **(usual | given))


def metal(**given: Any) -> Screened:
    usual: dict[str, Any] = {"battery": "lithium_metal", "watt_hours": None, "lithium_g": 0.1, "battery_is": "cell"}
    return ion(**(usual | given))


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"battery_is": "battery", "watt_hours": 100}, ACCEPT),
        ({"battery_is": "battery", "watt_hours": 100.1}, REFUSE),
        ({"battery_is": "cell", "watt_hours": 20}, ACCEPT),
        ({"battery_is": "cell", "watt_hours": 20.1}, REFUSE),
        ({"battery_is": None, "watt_hours": 20}, ACCEPT),
        ({"battery_is": None, "watt_hours": 20.1}, INSPECT),
        ({"watt_hours": None}, INSPECT),
        ({"battery_number": 2}, ACCEPT),
        ({"battery_number": 3}, REFUSE),
        ({"battery_number": 8, "battery_is": "cell"}, ACCEPT),
        ({"battery_number": 9, "battery_is": "cell"}, REFUSE),
        ({"battery_place": None}, INSPECT),
        ({"battery_place": "beside_device"}, ACCEPT),
        ({"battery_damaged": True}, REFUSE),
        ({"condition": "used"}, GROUND),
        ({"condition": "refurbished_by_maker"}, ACCEPT),
        ({"battery_place": "alone", "battery_sealed": True}, GROUND),
        ({"battery_place": "alone", "battery_sealed": None}, INSPECT),
        ({"battery_place": "alone", "battery_sealed": False}, REFUSE),
        ({"battery_place": "alone", "battery_sealed": True, "net_weight_g": 2268}, GROUND),
        ({"battery_place": "alone", "battery_sealed": True, "net_weight_g": 2269}, REFUSE),
        ({"international": True}, ACCEPT),
        ({"international": True, "battery_place": "beside_device"}, REFUSE),
        ({"international": True, "battery_place": "alone", "battery_sealed": True}, REFUSE),
        ({"international": True, "battery_number": 4, "battery_is": "cell"}, ACCEPT),
        ({"international": True, "battery_number": 5, "battery_is": "cell"}, REFUSE),
    ],
)
@pytest.mark.parametrize("mode", list(Mode))
def test_lithium_ion_at_its_limits(given: dict[str, Any], answer: Answer, mode: Mode) -> None:
    assert ion(mode=mode, **given).answer == answer


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"battery_is": "cell", "lithium_g": 1}, ACCEPT),
        ({"battery_is": "cell", "lithium_g": 1.01}, REFUSE),
        ({"battery_is": "battery", "lithium_g": 2}, ACCEPT),
        ({"battery_is": "battery", "lithium_g": 2.01}, REFUSE),
        ({"lithium_g": None}, INSPECT),
        ({"battery_place": "alone", "battery_sealed": True}, GROUND),
    ],
)
def test_lithium_metal_at_its_limits(given: dict[str, Any], answer: Answer) -> None:
    assert metal(**given).answer == answer


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (ion(), "820"),
        (ion(battery_number=5, battery_is="cell"), "818"),
        (ion(battery_place="beside_device"), "818"),
        (ion(battery_place="alone", battery_sealed=True), "816"),
        (ion(condition="used"), "817"),
        (ion(battery_damaged=True), ""),
        (screened("Eau de parfum", volume_ml=50, flash_point_c=17), "812"),
        (screened("Safety matches"), "822"),
        (screened("Hairspray aerosol", volume_ml=300), "831"),
        (screened("Dry ice", dry_ice_kg=1), "819"),
        (screened("Wooden chair"), ""),
    ],
)
def test_what_travels_has_the_code_of_usps(found: Screened, code: str) -> None:
    assert found.service_code == code
    assert not code or code in queries.SERVICE_CODES


def test_a_power_bank_is_a_battery_alone_whatever_is_ticked() -> None:
    found = screened("Power bank", battery="lithium_ion", battery_place="in_device", watt_hours=37, battery_sealed=True)
    assert found.answer == GROUND
    assert screened("Power bank", battery="none").answer == HOLD


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"flash_point_c": 94}, ACCEPT),
        ({"flash_point_c": 93}, GROUND),
        ({"flash_point_c": 17}, GROUND),
        ({"flash_point_c": -5}, GROUND),
        ({"flash_point_c": -6}, REFUSE),
        ({"flash_point_c": 17, "volume_ml": 473}, GROUND),
        ({"flash_point_c": 17, "volume_ml": 474}, INSPECT),
        ({"flash_point_c": 17, "volume_ml": 947}, REFUSE),
        ({"flash_point_c": 60, "volume_ml": 3785}, GROUND),
        ({"flash_point_c": 60, "volume_ml": 3786}, REFUSE),
        ({"volume_ml": None}, INSPECT),
        ({"alcohol_percent": 24}, ACCEPT),
        ({"alcohol_percent": 24.1}, GROUND),
        ({"flammable": False}, INSPECT),  # a perfume that does not burn: somebody looks
        ({"international": True}, REFUSE),
    ],
)
def test_a_liquid_at_its_limits(given: dict[str, Any], answer: Answer) -> None:
    assert screened("Eau de parfum", **({"volume_ml": 50} | given)).answer == answer


@pytest.mark.parametrize("word", ["Acetone", "Petrol", "Feuerzeugbenzin", "Gasolina", "Acétone"])
def test_what_flashes_in_the_cold_is_never_posted(word: str) -> None:
    assert screened(f"{word} 10 ml", mode=Mode.GROUND).answer == REFUSE
    assert screened(f"{word} 10 ml", flammable=False, liquid=True).answer >= HOLD
    assert screened(f"{word} 10 ml", flash_point_c=120).answer >= HOLD


@pytest.mark.parametrize(
    ("description", "given", "answer"),
    [
        ("Spray paint", {"volume_ml": 1000}, GROUND),
        ("Spray paint", {"volume_ml": 1001}, REFUSE),
        ("Spray paint", {}, INSPECT),
        ("Butane refill", {"volume_ml": 118}, GROUND),
        ("Butane refill", {"volume_ml": 119}, REFUSE),
        ("Dry ice", {"dry_ice_kg": 2.26}, ACCEPT),
        ("Dry ice", {"dry_ice_kg": 0.001}, ACCEPT),
        ("Dry ice", {"dry_ice_kg": 0}, HOLD),
        ("Dry ice", {"net_weight_g": 0}, HOLD),
        ("Dry ice", {"dry_ice_kg": 2.3}, GROUND),
        ("Hydrogen peroxide", {"active_percent": 3, "liquid": True}, ACCEPT),
        ("Hydrogen peroxide", {"active_percent": 8, "liquid": True}, REFUSE),
        ("Drain cleaner", {"active_percent": 15, "volume_ml": 473, "liquid": True}, GROUND),
        ("Drain cleaner", {"active_percent": 15.1, "volume_ml": 473, "liquid": True}, REFUSE),
        ("Drain cleaner", {"active_percent": 15, "volume_ml": 474, "liquid": True}, REFUSE),
        ("Drain cleaner", {"active_percent": 10, "net_weight_g": 500, "liquid": False}, GROUND),
        ("Drain cleaner", {"active_percent": 10.1, "net_weight_g": 500, "liquid": False}, REFUSE),
        ("Magnet", {"magnet": "small"}, ACCEPT),
        ("Magnet", {"magnet": "strong"}, INSPECT),
        ("Magnet", {"magnet_field_ut_at_2_1_m": 0.2}, ACCEPT),
        ("Magnet", {"magnet_field_ut_at_2_1_m": 0.21, "magnet_field_ut_at_4_6_m": 0.525}, ACCEPT),
        ("Magnet", {"magnet_field_ut_at_2_1_m": 0.21, "magnet_field_ut_at_4_6_m": 0.53}, GROUND),
        ("Blood sample", {"sample": "exempt"}, ACCEPT),
        ("Blood sample", {"sample": "category_b"}, INSPECT),
        ("Blood sample", {"sample": "category_a"}, REFUSE),
        ("Blood sample", {}, INSPECT),
        ("Used needles", {"sample": "none"}, INSPECT),
        ("Used needles", {}, REFUSE),
        ("Chainsaw", {"fuel": "none"}, ACCEPT),
        ("Chainsaw", {"fuel": "residue"}, REFUSE),
        ("Chainsaw", {}, INSPECT),
        ("Fireworks", {}, REFUSE),
        ("Alkaline batteries", {"battery": "dry", "battery_place": "alone"}, ACCEPT),
        ("Car battery", {"battery": "lead_acid_filled"}, REFUSE),
        ("Toaster", {}, ACCEPT),
        ("Smartphone", {}, INSPECT),
        ("Smartphone", {"battery": "none"}, ACCEPT),
        ("Xyzzy", {}, INSPECT),
        ("Xyzzy", {"declared_harmless": True}, INSPECT),  # a tick does not make it understood
        ("Xyzzy", {"battery": "none", "liquid": False}, ACCEPT),
        ("", {}, INSPECT),
        ("打火机", {"battery": "none", "liquid": False}, INSPECT),
    ],
)
def test_other_goods_at_their_limits(description: str, given: dict[str, Any], answer: Answer) -> None:
    assert screened(description, **given).answer == answer


@pytest.mark.parametrize(
    ("description", "emptied", "answer"),
    [
        ("Perfume bottle", "never_filled", ACCEPT),
        ("Xyzzy", "never_filled", INSPECT),  # an answer about a container does not make a text understood
        ("Perfume", "never_filled", INSPECT),  # no container is named
        ("Perfume bottle, full", "never_filled", INSPECT),
        ("Petrol 5 l", "never_filled", INSPECT),
        ("Bottle of nitric acid", "never_filled", INSPECT),  # of such goods somebody looks, bottle or not
        ("Butane cylinder", "never_filled", INSPECT),
        ("Blood sample tube", "never_filled", INSPECT),
        ("Tear gas can", "never_filled", REFUSE),
        ("Windproof lighter", "never_filled", ACCEPT),
        ("Perfume bottle", "cleaned", INSPECT),
        ("Perfume bottle", "not_cleaned", REFUSE),
        ("Perfume bottle, empty", None, INSPECT),
        ("Perfume bottle and petrol", "never_filled", REFUSE),  # of two things, one may be empty
        ("Perfume bottle and fireworks", "never_filled", REFUSE),
        ("Fireworks", "never_filled", REFUSE),
        ("Empty fireworks", None, REFUSE),
    ],
)
def test_empty_is_said_of_one_container(description: str, emptied: str | None, answer: Answer) -> None:
    assert screened(description, emptied=emptied).answer == answer


def test_a_tariff_number_of_an_empty_container_is_looked_at() -> None:
    assert screened("Glass bottle", hs_code="3303.00", emptied="never_filled").answer == INSPECT


@pytest.mark.parametrize("fact", ["liquid", "flammable", "pressurised", "aerosol"])
@pytest.mark.parametrize("emptied", ["never_filled", "cleaned"])
def test_what_is_full_by_another_answer_is_not_empty(fact: str, emptied: str) -> None:
    said: dict[str, Any] = {fact: True}
    full = screened("Perfume bottle", **said).answer
    assert screened("Perfume bottle", emptied=emptied, **said).answer == full >= INSPECT


@pytest.mark.parametrize(
    ("description", "answer"),
    [
        ("Gunpowder tea", INSPECT),  # before a harmless head
        ("Gunpowder", REFUSE),
        ("Tea and gunpowder", REFUSE),
        ("Granada de juguete, peluche", INSPECT),  # a word of two meanings beside a harmless one
        ("Granada", REFUSE),
        ("Peluche con granada", REFUSE),
        ("P\u00f3lvora y sangre, novela", INSPECT),  # what comes last says what it is
        ("Novela, p\u00f3lvora", REFUSE),
        ("Petardos, novela", REFUSE),  # a word of one meaning
    ],
)
def test_a_word_in_doubt_is_looked_at_and_never_accepted(description: str, answer: Answer) -> None:
    assert screened(description).answer == answer
    assert screened(description, declared_harmless=True).answer >= INSPECT


@pytest.mark.parametrize("un", ["UN3551", "UN3552", "UN3556", "UN9999"])
def test_an_unknown_id_is_held_until_the_operator_has_a_rule_with_its_source(un: str) -> None:
    held = screened("Cell", un=un, battery="none", liquid=False)
    assert (held.answer, held.rule) == (HOLD, "id-unknown")
    mine = {un: OperatorRule(Answer.REFUSE, "Order 7 of the operator, 2026-11-01")}
    decided = screened("Cell", un=un, rules=mine, battery="none", liquid=False)
    assert (decided.answer, decided.clause) == (REFUSE, "Order 7 of the operator, 2026-11-01")


def test_an_operators_rule_makes_nothing_milder_that_another_rule_refuses() -> None:
    mild = {"UN9999": OperatorRule(Answer.ACCEPT, "s"), "UN0336": OperatorRule(Answer.ACCEPT, "s")}
    assert screened("Fireworks", un="UN9999", rules=mild).answer == REFUSE
    assert screened("Fireworks", un="UN0336", rules=mild).answer == REFUSE  # of the table: the table's


@pytest.mark.parametrize(
    ("description", "given", "rule"),
    [
        ("Cotton T-shirts", {"un": "UN1203"}, "id-contradiction"),
        ("Laptop", {"un": "UN3090", "battery": "lithium_ion", "battery_place": "in_device"}, "id-contradiction"),
        ("Tiles", {"un": "UN 12A4"}, "id-unreadable"),
        ("Art prints", {"hs_code": "3604.10"}, "tariff-contradiction"),
        ("Art prints", {"hs_code": "3604.10", "emptied": "never_filled"}, "tariff-contradiction"),
        ("Perfume", {"declared_harmless": True, "volume_ml": 50, "flash_point_c": 17}, "declared-harmless"),
    ],
)
def test_what_contradicts_itself_is_held(description: str, given: dict[str, Any], rule: str) -> None:
    found = screened(description, **given)
    assert (found.answer, found.rule) == (HOLD, rule)


@pytest.mark.parametrize(
    ("un", "given", "answer"),
    [
        ("UN1888", {"volume_ml": 5001}, REFUSE),  # 6.1 III: 5 l in an inner container
        ("UN1649", {"volume_ml": 1}, REFUSE),  # 6.1 I: no limited quantity
        ("UN0336", {}, REFUSE),
        ("UN1017", {}, REFUSE),
        ("UN2814", {}, REFUSE),
    ],
)
def test_the_table_decides_by_class_group_and_amount(un: str, given: dict[str, Any], answer: Answer) -> None:
    assert screened("Xyzzy", un=un, mode=Mode.GROUND, **given).answer == answer


def test_questions_come_one_by_one_and_stop_early() -> None:
    asked, said = [], {"battery": "lithium_ion", "battery_place": "in_device", "watt_hours": 12.0}
    replies = said | {"battery_is": "battery", "battery_number": 1, "condition": "new"}
    given: dict[str, Any] = {}
    while (ask := screened("Smartphone", **given).ask) is not None:
        asked.append(ask.field)
        given[ask.field] = replies[ask.field]
    assert asked[:3] == ["battery", "battery_place", "watt_hours"]
    assert len(asked) == len(set(asked)) <= 6
    assert screened("Smartphone", **given).answer == ACCEPT
    assert screened("Smartphone", battery="lithium_ion", watt_hours=300, battery_is="battery").ask is None
    assert screened("Smartphone", battery="none").ask is None
    assert screened("Cell", un="UN3551").ask is None  # nothing that the shop says could settle it


def test_every_question_and_every_rule_has_its_words() -> None:
    from parcelward.parcels.hazmat import questions

    assert {name for name, _ in questions._ORDER} <= words.QUESTIONS.keys()
    assert words.QUESTIONS.keys() <= questions.CHOICES.keys() | questions.NUMBERS
    for meaning, change in words.RULES.values():
        assert str(meaning)
        assert str(change)


def test_every_answer_says_its_rule_clause_words_and_a_way_to_a_person() -> None:
    found = screened("Fireworks")
    assert (found.rule, found.clause, found.because) == ("explosive", "Pub 52 341", ("firework",))
    assert str(found.words)
    assert str(found.what_to_change)
    assert "person" in str(found.appeal)
    assert found.table_date == "2026-06-01"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0])
def test_a_number_that_nobody_can_have_measured_says_nothing(number: float) -> None:
    cases: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("laptop 300 Wh", "watt_hours", {"battery": "lithium_ion", "battery_place": "in_device"}),
        ("dry ice", "dry_ice_kg", {}),
        ("hydrogen peroxide", "active_percent", {}),
    )
    for text, field, others in cases:
        said: dict[str, Any] = others | {field: number}
        assert screened(text, **said).answer == screened(text, **others).answer != Answer.ACCEPT
    assert screened("nail polish", mode=Mode.GROUND, volume_ml=number) == screened("nail polish", mode=Mode.GROUND)
