"""Which marks a text names, and which of them a declaration covers."""

from __future__ import annotations

import pytest

from parcelward.parcels.photos.marks import marks, uncovered


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("UN3480", {"UN3480"}),
        ("UN 348O", {"UN3480"}),  # the letter O
        ("un-l266", {"UN1266"}),
        ("ID8000", {"UN8000"}),
        ("LITHIUM ION BATTERIES", {"lithium"}),
        ("LlTHIUMIONBATTERIES", {"lithium"}),  # one letter wrong, no spaces
        ("Baterías de ión litio: BATERÍAS DE LITIO", {"lithium"}),
        ("Líquido inflamable", {"3"}),
        ("Liquide inflammable", {"3"}),
        ("Entzündbare Flüssigkeit", {"3"}),
        ("CORROSIVE 8", {"8"}),
        ("LTD QTY", {"limited"}),
        ("FORBIDDEN FOR TRANSPORT ABOARD PASSENGER AIRCRAFT", {"no_aircraft"}),
        ("NON-FLAMMABLE LIQUID", set()),
        ("Nicht ätzend", set()),
        ("Anna Example, 12 Corner Street, 48000 Bilbao", set()),
        ("UNIT 3480", set()),
        ("RUN1266", set()),
        ("FRAGILE", set()),
    ],
)
def test_marks_are_read_out_of_a_line(line: str, found: set[str]) -> None:
    assert set(marks([line])) == found


@pytest.mark.parametrize(
    ("found", "code", "rule", "left"),
    [
        (("UN3480",), "816", "", ()),
        (("UN3480",), "820", "", ("UN3480",)),  # declared as built in, and it is alone
        (("lithium", "UN3481"), "818", "", ()),
        (("lithium",), "", "harmless", ("lithium",)),
        (("3", "UN1266"), "812", "", ()),
        (("3",), "816", "", ("3",)),
        (("no_aircraft",), "820", "", ("no_aircraft",)),
        (("UN1845", "dry_ice"), "819", "", ()),
        (("UN3551",), "", "id-unknown", ("UN3551",)),
        (("UN3551",), "", "operator-rule", ()),
        (("UN0336",), "831", "", ("UN0336",)),
        ((), "", "", ()),
    ],
)
def test_a_mark_that_the_declaration_does_not_cover_is_left(
    found: tuple[str, ...], code: str, rule: str, left: tuple[str, ...]
) -> None:
    assert uncovered(found, code=code, rule=rule) == left
