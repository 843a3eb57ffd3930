"""Fields, and rules and orders made at random, for the tests of the language."""

from __future__ import annotations

from hypothesis import strategies as st

from parcelward.risk.language import reading
from parcelward.risk.language.problems import Refused
from parcelward.risk.language.schema import Schema
from parcelward.risk.language.tree import Node
from parcelward.risk.wire import Field, FieldType, Unit

SCHEMA = Schema(
    [
        Field("cards_1h", FieldType.INT, "%(value)s cards in 1 h", most=10_000),
        Field("orders_30d", FieldType.INT, "%(value)s orders in 30 days", most=100_000),
        Field("amount_minor", FieldType.INT, "an order worth %(value)s", Unit.MINOR),
        Field("usual_minor", FieldType.FLOAT, "a usual order worth %(value)s", Unit.MINOR),
        Field("balance_minor", FieldType.INT, "a balance of %(value)s", Unit.MINOR, least=-(10**12)),
        Field("account_age", FieldType.INT, "an account that is %(value)s old", Unit.SECONDS, most=10**10),
        Field("score", FieldType.FLOAT, "a score of %(value)s", least=-1, most=1),
        Field("new_address", FieldType.BOOL, "the address is new"),
        Field("by_proxy", FieldType.BOOL, "ordered through a proxy"),
        Field("country", FieldType.TEXT, "sent to %(value)s"),
        Field("card_country", FieldType.TEXT, "a card from %(value)s"),
        Field("goods", FieldType.SET, "goods: %(value)s"),
    ]
)

TEXTS = ("ES", "PT", "FR", "E", "", "España", "a'b", "knife", "battery")


def _literal(text: str) -> str:
    return f'"{text}"'


def _numbers(kind: str) -> st.SearchStrategy[str]:
    """Numbers of one unit, as they are written."""
    bare = st.one_of(st.integers(0, 50).map(str), st.sampled_from(["0.5", "1.25", "10_000"]))
    leaves = {
        "plain": st.one_of(st.sampled_from(["cards_1h", "orders_30d", "score"]), bare),
        "minor": st.one_of(st.sampled_from(["amount_minor", "usual_minor", "balance_minor"]), bare),
        "seconds": st.sampled_from(["account_age", "90s", "10m", "1h", "7d"]),
    }[kind]

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(inner, st.sampled_from("*/"), bare).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
            st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
            inner.map(lambda one: f"abs({one})"),
            inner.map(lambda one: f"-{one}"),
            st.tuples(inner, inner).map(lambda t: f"({t[0]} / {t[1]}) * {t[0]}"),
            inner.map(lambda one: f"({one} % 7{'s' if kind == 'seconds' else ''})"),
        )

    return st.recursive(leaves, more, max_leaves=4)


_SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
_TEXT_FIELDS = st.sampled_from(["country", "card_country"])
_LISTS = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=7)


def _compared(kind: str) -> st.SearchStrategy[str]:
    return st.tuples(_numbers(kind), _SIGNS, _numbers(kind)).map(" ".join)


TESTS = st.one_of(
    *map(_compared, ("plain", "minor", "seconds")),
    st.sampled_from(["new_address", "by_proxy", "country == card_country", "card_country != country"]),
    st.tuples(_TEXT_FIELDS, st.sampled_from(["==", "!="]), st.sampled_from(TEXTS).map(_literal)).map(" ".join),
    st.tuples(
        _TEXT_FIELDS,
        st.sampled_from(["in", "not in"]),
        _LISTS.map(lambda texts: f"[{', '.join(map(_literal, texts))}]"),
    ).map(" ".join),
    st.sampled_from(["cards_1h != 3", "account_age != 1h", "orders_30d != cards_1h", "cards_1h == orders_30d"]),
    st.sampled_from(["cards_1h in [1, 2, 3]", "cards_1h not in [0, 4, 5, 6, 7, 8, 9]", "account_age in [1h, 7d]"]),
    st.tuples(st.sampled_from(TEXTS), st.sampled_from(["in", "not in"])).map(lambda t: f'"{t[0]}" {t[1]} goods'),
    st.sampled_from([field.name for field in SCHEMA.fields]).map(lambda name: f"known({name})"),
    st.tuples(_TEXT_FIELDS, st.sampled_from(["E", "ES", "Esp", "z"])).map(lambda t: f'startswith({t[0]}, "{t[1]}")'),
)
RULES = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=5,
)


def _read(text: str) -> Node | None:
    try:
        return reading.read(text, SCHEMA)
    except Refused:
        return None


NODES = RULES.map(_read).filter(lambda node: node is not None)

_ODD = st.sampled_from(
    [True, -1, 10**30, float("nan"), float("inf"), "7", 3.5, b"ES", [1], ["knife"], object(), 1 + 2j]
)
"""What is no value of most fields."""


def _values(field: Field) -> st.SearchStrategy[object]:
    good: st.SearchStrategy[object] = {
        FieldType.INT: st.one_of(st.integers(0, 10), st.integers(int(field.least), int(field.most))),
        FieldType.FLOAT: st.one_of(st.floats(float(field.least), float(field.most)), st.integers(0, 1)),
        FieldType.BOOL: st.booleans(),
        FieldType.TEXT: st.sampled_from([*TEXTS, "x" * 500, "x" * 501]),
        FieldType.SET: st.frozensets(st.sampled_from(TEXTS)),
    }[field.type]
    return st.one_of(good, good, good, st.none(), _ODD)


ORDERS = st.fixed_dictionaries({}, optional={field.name: _values(field) for field in SCHEMA.fields})

_SCORES = st.integers(-64, 64).map(lambda sixtyfourths: sixtyfourths / 64)


def _known(field: Field) -> st.SearchStrategy[object]:
    """Values of a field, near those that rules ask about."""
    if field.type is FieldType.FLOAT:
        return _SCORES if field.name == "score" else _SCORES.map(lambda one: abs(one) * 80)
    if field.type is FieldType.INT:
        days = st.sampled_from([0, 89, 90, 600, 3599, 3600, 3601, 604_800])
        return days if field.unit is Unit.SECONDS else st.integers(max(int(field.least), -60), 60)
    few = {
        FieldType.BOOL: st.booleans(),
        FieldType.TEXT: st.sampled_from(TEXTS),
        FieldType.SET: st.frozensets(st.sampled_from(TEXTS)),
    }
    return few[field.type]


KNOWN_ORDERS = st.fixed_dictionaries({field.name: _known(field) for field in SCHEMA.fields})
"""Orders of which everything is known."""
