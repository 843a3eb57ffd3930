"""Names under which dangerous goods are sold, and harmless ones that sound like them, in four languages."""

from __future__ import annotations

import pytest

from parcelward.parcels.hazmat import queries
from parcelward.parcels.hazmat.wire import Answer, Declaration, Mode

ACCEPT, GROUND, INSPECT, HOLD, REFUSE = Answer

NAMES: dict[tuple[str, Answer], tuple[str, ...]] = {
    ("en", GROUND): ("book of matches", "matches book", "box of matches", "real matches"),
    ("es", GROUND): ("libro de cerillas", "libro de f\u00f3sforos", "tarjeta de cerillas", "cerillas de verdad"),
    ("fr", GROUND): ("livre d'allumettes", "carnet d'allumettes", "pochette d'allumettes", "vraies allumettes"),
    ("de", GROUND): (
        "Streichholzheft",
        "Heft Streichh\u00f6lzer",
        "Z\u00fcndholzbriefchen",
        "echte Streichh\u00f6lzer",
    ),
    ("en", INSPECT): (
        *("book of fireworks", "button cells", "card of button cells", "earbuds charging case", "balloon inflator"),
        *("pillow mist", "fire extinguishing ball", "automatic xyzzy", "mini cylinder for tyres"),
    ),
    ("es", INSPECT): (
        "libro de fuegos artificiales",
        "funda bater\u00eda iPhone",
        "mochila de petardos",
        "fuente para tarta",
    ),
    ("fr", INSPECT): (
        "livre de feux d'artifice",
        "ceinture de cartouches",
        "tasse d'essence",
        "coque batterie iPhone",
        "\u00e9tui de charge",
    ),
    ("de", INSPECT): ("Buch Feuerwerk", "Ladeetui", "Fahrrad Airbag Helm", "Airbag Aufkleber"),
    ("en", HOLD): (
        *("avalanche airbag backpack", "airbag jacket", "airbag vest", "automatic life vest", "life vest, automatic"),
        *(
            "automatic inflating life vest",
            "cream whipper bulbs",
            "gas lift cylinder for office chair",
            "coin cells",
            "vaseline glass",
        ),
    ),
    ("es", HOLD): (
        "mochila airbag avalancha",
        "chaqueta airbag",
        "chaleco salvavidas hinchable",
        "c\u00e1psulas sif\u00f3n",
    ),
    ("fr", HOLD): (
        "sac \u00e0 dos airbag avalanche",
        "veste airbag",
        "gilet gonflable automatique",
        "bloc de plong\u00e9e",
    ),
    ("de", HOLD): ("Lawinenairbag-Rucksack", "Airbag-Weste", "automatische Schwimmweste", "Schwimmweste, Automatik"),
    ("en", REFUSE): (
        *(
            "toy gun caps",
            "caps for toy gun",
            "toy snaps",
            "12 gauge shells",
            "12ga shotshells",
            "fontaine \u00e0 g\u00e2teau",
        ),
        *("cake fountain", "smoke candles", "streamer poppers", "snap strips", "cracker snaps", "seat belt tensioner"),
        *("nail gun cartridges", "bear bangers", "real fireworks"),
    ),
    ("es", REFUSE): (
        *("fulminantes para pistola de juguete", "velas fuente", "volc\u00e1n para tarta", "cartuchos calibre 12"),
        *("velas de humo", "papel flash magia", "tubo de confeti", "taza de gasolina", "fuegos artificiales reales"),
    ),
    ("fr", REFUSE): (
        *("amorces pour pistolet jouet", "fontaine \u00e0 g\u00e2teau", "bougie volcan", "cartouches de calibre 12"),
        *(
            "papier flash magie",
            "m\u00e8che feu d'artifice",
            "jets de table",
            "vrais feux d'artifice",
        ),
    ),
    ("de", REFUSE): (
        *("Tortenfont\u00e4ne", "Kuchenfont\u00e4ne", "Airbagjacke", "12er Schrotpatronen", "Pyropapier", "Kugelbombe"),
        *("Munition f\u00fcr Spielzeugpistole", "Quecksilberschalter", "Rauchkerzen", "echtes Feuerwerk"),
    ),
    ("en", ACCEPT): (
        *("book about fireworks", "real leather wallet", "genuine leather phone case", "Real Madrid shirt"),
        *("foam life jacket", "egg shells craft", "taco shells", "snap buttons", "baseball caps"),
        *("airbag sticker", "door lock cylinder", "chocolate fountain", "sheet of stickers", "board game real time"),
    ),
    ("es", ACCEPT): (
        *("libro sobre fuegos artificiales", "cartuchos de tinta", "funda de piel aut\u00e9ntica para mechero"),
        *("chaleco salvavidas de espuma", "mochila de port\u00e1til", "camiseta Real Madrid", "esterilla autoinflable"),
    ),
    ("fr", ACCEPT): (
        *(
            "livre sur les feux d'artifice",
            "cartouche d'encre",
            "\u00e9tui en cuir v\u00e9ritable pour briquet",
            "amorce de p\u00eache",
        ),
        *("gilet de sauvetage mousse", "fontaine \u00e0 eau pour chat", "matelas autogonflant"),
    ),
    ("de", ACCEPT): (
        *("Feuerwerksbuch", "Aufkleber", "Zitronens\u00e4ure", "Feuerzeugh\u00fclle echtes Leder", "Filterkartusche"),
        *("Schwimmweste Schaumstoff", "selbstaufblasende Isomatte", "Badebombe", "Lichtschalter"),
    ),
}


@pytest.mark.parametrize(
    ("language", "answer", "description"),
    [(language, answer, name) for (language, answer), names in NAMES.items() for name in names],
)
def test_a_name_is_known_for_what_it_is(language: str, answer: Answer, description: str) -> None:
    found = queries.screen(Declaration(description, language), Mode.AIR)
    assert found.answer == answer, found.because
