"""Labels as PDF, PNG and ZPL: what machines and people read from the picture of each."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import pytest
import zxingcpp
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageChops
from qrcode.main import QRCode
from qrcode.util import MODE_ALPHA_NUM, QRData
from reportlab.pdfbase import pdfmetrics
from tests.privacy.label_desk import wanted
from tests.shipping.sample_labels import NUMBER, SSCC, facts, pages, printed, read, sealed, side_mm, text_of
from tests.shipping.zpl_picture import Printer, commands

from parcelward.base.standards.addresses import tables
from parcelward.base.vault import Personal
from parcelward.privacy.sealing import wire as sealed_format
from parcelward.privacy.sealing.wire import Doorstep
from parcelward.shipping.labels import code128, fonts, layout, lettering, pdf, png, qr, wire, zpl
from parcelward.shipping.labels.errors import Unprintable
from parcelward.shipping.labels.wire import LabelFacts

LONG_DOOR = Doorstep(
    Personal("Ana María Fernández de la Muestra"),
    (Personal("Σπίτι των δοκιμών 12β"), Personal("second courtyard, staircase C, fourth floor")),
    Personal("Ring twice; the bell of the flat below does not work"),
)


def pictures(said: LabelFacts) -> dict[str, Image.Image]:
    """Return the picture of each form of a label, all at 203 dpi."""
    return {
        "A6": pages(pdf.render([said], layout.A6))[0],
        "4x6": pages(pdf.render([said], layout.INCH_4X6))[0],
        "PNG": png.picture(said).convert("L"),
        "ZPL": Printer().run(zpl.render(said)),
    }


@pytest.mark.parametrize("number", [NUMBER, "PW1234567890128", "00340123450000000018"])
def test_every_form_is_read_back(number):
    said = facts(number)
    for form, picture in pictures(said).items():
        assert read(picture) == {"]C0": number, "]C1": f"(00){SSCC}", "]Q": said.sealed}, form
        assert 38 < side_mm(picture) <= 40, form


def test_the_long_form_of_a_sealed_label_is_read_too_and_no_wider():
    said = facts(sealed=sealed(doorstep=LONG_DOOR).text, binding="")
    assert len(said.sealed) > qr.LETTERS_MAX[0]
    for form, picture in pictures(said).items():
        assert read(picture)["]Q"] == said.sealed, form
        assert side_mm(picture) <= 40, form


def test_a_number_that_is_an_sscc_stands_once():
    said = facts(sscc="", number=SSCC)
    for form, picture in pictures(said).items():
        assert read(picture) == {"]C1": f"(00){SSCC}", "]Q": said.sealed}, form


def test_four_labels_on_a_sheet_are_four_labels():
    wanted_numbers = ["RA473012345GB", "PW1234567890128", "00340123450000000018", "RA473012359GB", "PW1234567890265"]
    said = [facts(number, sscc="") for number in wanted_numbers]
    first, second = pages(pdf.render(said, layout.A4_OF_4))
    assert first.size == pytest.approx((1680, 2376), abs=1)
    halves = [(0, 0), (840, 0), (0, 1188), (840, 1188)]
    for one, (x, y) in zip(said, halves, strict=False):
        assert read(first.crop((x, y, x + 840, y + 1188))) == {"]C0": one.number, "]Q": one.sealed}
    assert read(second) == {"]C0": said[4].number, "]Q": said[4].sealed}


def test_the_sizes_are_those_of_the_papers():
    said = facts()
    assert pages(pdf.render([said], layout.A6), dpi=254)[0].size == pytest.approx((1050, 1480), abs=1)
    assert pages(pdf.render([said], layout.INCH_4X6), dpi=100)[0].size == pytest.approx((400, 600), abs=1)
    assert png.picture(said).size == (813, 1219)
    assert dict(commands(zpl.render(said)))["PW"] == "813"


@pytest.mark.parametrize("seed", range(6))
def test_a_poor_print_is_read(seed):
    said = facts()
    for form, picture in pictures(said).items():
        assert read(printed(picture, seed=seed)) == {"]C0": NUMBER, "]C1": f"(00){SSCC}", "]Q": said.sealed}, form


def test_all_forms_have_the_same_dots_where_machines_read():
    """The field of PNG and ZPL is the same; from the QR code down, only letters may differ."""
    said = facts()
    ours, theirs = png.picture(said).convert("L"), Printer().run(zpl.render(said))
    left, top = (layout.dots(mm) for mm in layout.INCH_4X6.fields[0])
    for part in layout.drawing(said):
        x, y = left + part.x, top + part.y
        if isinstance(part, layout.Words):
            continue
        wide, high = {
            layout.Bar: lambda p: (p.width, p.height),
            layout.Square: lambda p: (len(p.rows) * p.module,) * 2,
            layout.Linear: lambda p: (len(code128.widths(p.text, gs1=p.gs1)) * p.module, p.height),
        }[type(part)](part)
        area = (x, y, x + wide, y + high)
        assert ImageChops.difference(ours.crop(area), theirs.crop(area)).getbbox() is None, part


def test_nothing_overlaps_and_everything_is_on_the_field():
    drawn = layout.drawing(facts(return_lines=tuple(Personal(f"Line {n}") for n in range(5))))
    areas = []
    for part in drawn:
        if isinstance(part, layout.Words):
            areas.append((part.x, part.y - round(part.size * 0.75), part.x + part.width, part.y))
        elif isinstance(part, layout.Linear):
            quiet = code128.QUIET * part.module
            wide = len(code128.widths(part.text, gs1=part.gs1)) * part.module
            areas.append((part.x - quiet, part.y, part.x + wide + quiet, part.y + part.height))
        elif isinstance(part, layout.Square):
            quiet, side = qr.QUIET * part.module, len(part.rows) * part.module
            areas.append((part.x - quiet, part.y - quiet, part.x + side + quiet, part.y + side + quiet))
        else:
            areas.append((part.x, part.y, part.x + part.width, part.y + part.height))
    for n, (x, y, right, bottom) in enumerate(areas):
        assert x >= 0
        assert y >= 0
        assert right <= layout.dots(layout.WIDTH_MM)
        assert bottom <= layout.dots(layout.HEIGHT_MM)
        for a, b, c, d in areas[:n]:
            assert right <= a or c <= x or bottom <= b or d <= y, (areas[n], (a, b, c, d))


# Codes ----------------------------------------------------------------------------------------------------------------


def test_the_code_has_at_most_40_mm_and_whole_dots_and_the_next_version_would_not_fit():
    assert pytest.approx(203, abs=0.5) == layout.DOTS_PER_MM * 25.4
    quiet = 2 * qr.QUIET
    assert (qr.SIDE + quiet) * layout.QR_MODULE / layout.DOTS_PER_MM == 38.5
    assert (qr.SIDE + 4 + quiet) * layout.QR_MODULE / layout.DOTS_PER_MM > 40, "version 14 does not fit"
    assert (qr.SIDE + quiet) * (layout.QR_MODULE + 1) / layout.DOTS_PER_MM > 40, "five dots a module do not fit"


@pytest.mark.parametrize("size", sealed_format.TEXT_BYTES[sealed_format.Hop.COURIER])
def test_every_sealed_label_fits_into_the_code(size):
    """The longest item number in both forms; the short one with the better error correction."""
    length = 2 + 2 + 8 + 1 + sealed_format.ITEM_LENGTH_MAX + (12 + 48) + (32 + 48) + (size + 48) + 8
    letters = len(sealed_format.to_base45(b"P" * length))
    assert letters <= qr.LETTERS_MAX[0 if size == 92 else 1]


@given(st.text(st.sampled_from(qr._ALPHABET), min_size=1, max_size=619))
def test_the_qr_code_is_the_librarys_module_for_module(text):
    level = next(level for level, most in qr.LETTERS_MAX.items() if len(text) <= most)
    code = QRCode(version=qr.VERSION, error_correction=level, border=0, mask_pattern=qr.MASK)
    code.add_data(QRData(text.encode(), mode=MODE_ALPHA_NUM), optimize=0)
    code.make(fit=False)
    assert qr.rows(text) == tuple("".join("01"[bool(m)] for m in row) for row in code.get_matrix())


def test_what_is_too_long_for_the_qr_code_is_refused():
    with pytest.raises(ValueError, match="more letters"):
        qr.rows("A" * 620)


@given(st.text(st.sampled_from("AZ0123456789"), min_size=1, max_size=12), st.booleans())
@example("9999", False)  # among pairs, the symbol that switches to them is two digits
def test_the_bars_are_read_and_the_printer_is_told_the_same(text, gs1):
    text = f"00{SSCC}" if gs1 else text
    bars = code128.widths(text, gs1=gs1)
    picture = Image.new("L", (2 * len(bars) + 60, 60), 255)
    for at, bar in enumerate(bars):
        if bar == "1":
            picture.paste(0, (2 * at + 30, 0, 2 * at + 32, 60))
    found = zxingcpp.read_barcode(picture)
    assert found is not None
    assert found.text.replace("(00)", "00") == text
    printer = Printer()
    printer.at, printer.module, printer.bars = (0, 0), 1, 1
    printer._bars(code128.zpl_data(text, gs1=gs1))
    row = "".join("10"[printer.paper.getpixel((x, 0)) == 255] for x in range(len(bars)))
    assert row == bars


# Letters --------------------------------------------------------------------------------------------------------------


def ink(picture: Image.Image, place: str) -> int:
    """Return how many dots of a line's place are black."""
    (line, *_) = layout.LINES[place]
    left, top = layout.INCH_4X6.fields[0]
    area = (left + line.x, top + line.y - line.size * 0.8, left + line.x + line.width, top + line.y + line.size * 0.2)
    a, b, c, d = (layout.dots(mm) for mm in area)
    return picture.crop((a, b, c, d)).convert("L").histogram()[0]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Łódź Express", "Łódź Express"),
        ("Τυπογραφείο", "Τυπογραφείο"),
        ("Нова пошта", "Нова пошта"),
        ("Հայփոստ", "Հայփոստ"),
        ("ფოსტა", "ფოსტა"),
        ("王小明", "WangXiaoMing"),
        ("東京都", "DongJingDou"),
        ("שלום", "slvm"),
        ("البريد", "'lbryd"),
        ("डाक", "dak"),
        ("e\u0301clair", "éclair"),
        ("a\u202eb\u200bc", "abc"),
        ("tea\u00a0and  milk", "tea and milk"),
        ("box 📦", "box :package:"),
        ("\ue000", "?"),
    ],
)
def test_every_script_is_shown_and_none_is_blank(typed, shown):
    assert lettering.legible(typed) == shown
    said = facts(operator=typed)
    blank = {form: ink(picture, "operator") for form, picture in pictures(facts(operator="")).items()}
    assert set(blank.values()) == {0}
    for form, picture in pictures(said).items():
        if form != "A6":  # another field, the same drawing
            assert ink(picture, "operator") > 30, form
    assert shown in text_of(pdf.render([said], layout.A6))


def test_every_letter_that_is_printed_is_in_the_font():
    """All that PDF draws with the font of its reader is in that one; the rest, and every PNG, needs ours."""
    has = pdfmetrics.getFont(fonts.embedded()).face.charToGlyph
    missing = set()
    for code in range(sys.maxunicode + 1):
        try:
            shown = lettering.legible(chr(code)) if not 0xD800 <= code < 0xE000 else ""
        except Unprintable:
            continue
        missing |= {letter for letter in shown if ord(letter) not in has}
    assert sorted(missing) == []


@pytest.mark.parametrize("text", ["a\nb", "a\x00", "\x1b[2J", "a\x85b", "a\u2028b", "\x7f", "\x10"])
def test_control_characters_are_refused(text):
    with pytest.raises(Unprintable):
        facts(service=text)


def test_what_would_leave_nothing_is_refused():
    with pytest.raises(Unprintable, match="nothing"):
        facts(service="\u200b\u202e")


def test_a_long_line_is_made_to_fit():
    said = facts(operator="W" * 40, service="M" * 40, routing_code="W" * 40)
    for form, picture in pictures(said).items():
        if form == "4x6":
            for place in ("operator", "service", "routing"):
                (line, *_) = layout.LINES[place]
                right = layout.dots(layout.INCH_4X6.fields[0][0] + line.x + line.width) + 4
                y = layout.dots(layout.INCH_4X6.fields[0][1] + line.y)
                beyond = (right, y - 10, min(right + 30, 800), y)
                assert picture.crop(beyond).histogram()[0] == 0, place
        assert read(picture)["]C0"] == NUMBER, form


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Ana Sample", "A. S."),
        ("Łucja Żak", "L. Z."),
        ("", ""),
        ("émile  du  bois jr", "E. D. B."),
        ("王 小明", "W. X."),
    ],
)
def test_initials(name, said):
    assert lettering.initials(name) == said


# Commands -------------------------------------------------------------------------------------------------------------

ATTACKS = (
    "^XZ^XA^FDowned^FS",
    "~JR",
    "~DGR:X.GRF,1,1,FF",
    "^DFE:EVIL.ZPL^FS",
    "_5EXZ_7EJR",
    "_",
    "\\^FS",
    ">;>8",
    "%$&\"'<>",
    "^FD^FH",
    "¨^ˆ˜~",
    "＾ＸＺ",
    "～JR",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_no_text_begins_a_command(text):
    """Names and parameters of all commands are those of a harmless label; the words arrive as they were typed."""
    places = ("operator", "service", "routing_code", "initials", "postcode_area", "marked")
    lines: dict[str, Any] = {"return_lines": (Personal(text),), "country_lines": (text,)}
    harmless = facts(**dict.fromkeys(places, "plain"), return_lines=(Personal("plain"),), country_lines=("plain",))
    said = dataclasses.replace(harmless, **(dict.fromkeys(places, text) | lines))
    raw = zpl.render(said)
    assert raw.isascii()
    assert [name for name, _ in commands(raw)] == [name for name, _ in commands(zpl.render(harmless))]
    printer = Printer()
    printer.run(raw)
    assert printer.words.count(lettering.legible(text)) == len(places) + 2
    for picture in pictures(said).values():
        assert read(picture)["]C0"] == NUMBER
    assert lettering.legible(text) in text_of(pdf.render([said], layout.A6))


@given(st.text(max_size=40))
def test_no_text_at_all_begins_a_command(text):
    try:
        line = lettering.legible(text)
    except Unprintable:
        return
    if not line or len(line) > 40:
        return
    field = zpl._words(layout.Words(0, 300, 800, 30, line))
    names = [name for name, _ in commands(field.encode("ascii"))]
    assert names in (["FT", "A0", "FH", "FD", "FS"], ["FO", "GF", "FS"])


# Facts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"number": "RA473012345GB^"}, "bad_number"),
        ({"number": "ABCDEFGHIJKLMNOPQRST"}, "bad_number"),
        ({"number": ""}, "bad_number"),
        ({"sscc": "106141412345678909"}, "bad_sscc"),
        ({"customs": "CN 24"}, "bad_customs"),
        ({"binding": "0123"}, "bad_binding"),
        ({"printing": 5}, "bad_count"),
        ({"printing": 0}, "bad_count"),
        ({"sealed": "no label"}, "bad_sealed"),
        ({"sealed": ""}, "bad_sealed"),
        ({"number": "RA123456785GB"}, "other_item"),
        ({"binding": "0" * 16}, "other_code"),
        ({"weight_g": 0}, "bad_count"),
        ({"service": "x" * 41}, "text_too_long"),
        ({"service": "王" * 40}, "text_too_long"),
        ({"return_lines": (Personal("x"),) * 6}, "too_many_lines"),
        ({"country_lines": ("x",) * 3}, "too_many_lines"),
    ],
)
def test_what_has_no_place_on_a_label_is_refused(other, code):
    base = facts()
    with pytest.raises(Unprintable) as refused:
        dataclasses.replace(base, **other)
    assert refused.value.code == code


def test_a_document_has_a_bounded_number_of_labels():
    said = facts()
    for labels in ([], [said] * (pdf.LABELS_MAX + 1)):
        with pytest.raises(Unprintable):
            pdf.render(labels, layout.A6)


def test_nothing_of_the_addressee_is_on_paper_in_clear():
    asked = wanted()
    said = facts()
    shown = text_of(pdf.render([said], layout.A6))
    assert {"C. Q.", "LS1-4471", "Acme Ltd", "GERMANY", "CN 22"} <= set(shown.replace("\r", "").split("\n"))
    door = asked.doorstep
    secrets = (door.name.text, door.note.text, *(line.text for line in door.lines), asked.street)
    for secret in secrets:
        for word in (word for word in secret.split() if len(word) > 3):
            assert word not in shown
            assert word.encode() not in zpl.render(said)
    assert "Acme" not in repr(said)


# Lines by country -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "lines"),
    [
        ("GB", ("Acme", "1 Road", "LEEDS", "YO", "LS1 1AA")),
        ("DE", ("Acme", "1 Road", "LS1 1AA Leeds")),
        ("US", ("Acme", "1 Road", "LEEDS YO LS1 1AA")),
        ("JP", ("Acme", "1 Road", "Leeds, YO", "LS1 1AA")),
        ("HU", ("ACME", "LEEDS", "1 ROAD", "LS1 1AA")),
        ("RU", ("Acme", "1 ROAD", "LEEDS", "YO", "LS1 1AA")),
    ],
)
def test_a_senders_lines_are_in_the_order_of_their_country(country, lines):
    made = wire.return_lines("Acme", "1 Road", "Leeds", postcode="LS1 1AA", state="YO", country=country)
    assert tuple(line.text for line in made) == lines


def test_lines_within_a_street_stay_and_what_is_empty_leaves_no_gap():
    made = wire.return_lines("Acme", "Unit 3\n1 Road", "Leeds", country="US")
    assert tuple(line.text for line in made) == ("Acme", "Unit 3", "1 Road", "LEEDS")


def test_a_long_address_goes_on_in_the_next_line_and_short_lines_share_one():
    street = "Department of Very Long Names and Addresses\nBuilding 7, Entrance C\nFlat 12\n27 Zanzibar Mews"
    made = wire.return_lines("The Canary Quillfeather Company of Publishers", street, "Leeds", country="US")
    said = [line.text for line in made]
    assert all(len(line) <= wire.WORDS_MAX for line in said)
    assert len(said) <= wire.RETURN_LINES_MAX
    assert facts(return_lines=made)
    for word in ["Canary", "Publishers", "Department", "Addresses", "Entrance", "12", "Zanzibar", "LEEDS"]:
        assert word in " ".join(said)
    two = wire.return_lines(
        "Canary Quillfeather", "A street whose name is longer than one line has room", "Leeds", country="US"
    )
    assert [line.text for line in two][1:] == ["A street whose name is longer than one", "line has room", "LEEDS"]


def test_an_address_that_has_no_room_at_all_is_refused():
    made = wire.return_lines("Acme", "\n".join(["x" * 70] * 4), "Leeds", country="US")
    with pytest.raises(Unprintable):
        facts(return_lines=made)


def test_the_country_of_an_item_that_leaves_stands_on_it():
    assert wire.country_lines(here="GB", to="DE") == ("GERMANY", "DE")
    assert wire.country_lines(here="GB", to="GB") == ()
    with pytest.raises(Unprintable):
        wire.country_lines(here="GB", to="ZZ")


def test_every_countrys_own_line_fits():
    table = tables.names().called
    assert len(table) > 240
    for country in table:
        if country != "GB":
            facts(country_lines=wire.country_lines(here="GB", to=country))
