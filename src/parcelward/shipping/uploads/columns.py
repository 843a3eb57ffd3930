"""What the columns of a list mean: fields of an order, and the names that people give them in four languages. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

IGNORED: Final = ""
"""What a column is taken for that nobody needs."""

WEIGHTS: Final[Mapping[str, float]] = {"g": 1.0, "kg": 1000.0, "lb": 453.59237, "oz": 28.349523125}
"""Unit -> grams; the pound as the international agreement of 1959 has it."""
LENGTHS: Final[Mapping[str, float]] = {"mm": 1.0, "cm": 10.0, "in": 25.4}
"""Unit -> millimetres."""

PLAIN: Final = (
    *("reference", "addressee", "organisation", "street_1", "street_2", "street_3", "house_number"),
    *("dependent_locality", "locality", "administrative_area", "postcode", "country", "email", "phone", "note"),
    *("product", "extras", "contents", "hs_code", "un", "battery", "value"),
)
MEASURED: Final = (
    *(f"weight_{unit}" for unit in WEIGHTS),
    *(f"{side}_{unit}" for side, unit in product(("length", "width", "height"), LENGTHS)),
    *(f"size_{unit}" for unit in LENGTHS),
)
FIELDS: Final = (*PLAIN, *MEASURED)
DEFAULTED: Final = frozenset(FIELDS) - {
    *("reference", "addressee", "organisation", "street_1", "street_2", "street_3", "house_number"),
    *("email", "phone", "locality", "postcode", "dependent_locality"),
}
"""What can be said once for all rows that do not say it."""
NEEDED: Final = ("street_1", "locality", "postcode")
"""Without a column for these nothing is an address; the rest can be missing, or be said once for all rows."""

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": (
        *("reference", "ref", "order", "order id", "order no", "order number", "order reference", "name order"),
        *("referencia", "pedido", "numero de pedido", "n pedido", "id pedido"),
        *("reference commande", "commande", "numero de commande", "n commande"),
        *("referenz", "bestellung", "bestellnummer", "auftragsnummer", "auftrag", "bestell nr", "auftrags nr"),
    ),
    "addressee": (
        *("name", "addressee", "recipient", "recipient name", "full name", "customer", "customer name", "to"),
        *("ship to name", "shipping name", "consignee", "receiver", "contact"),
        *("nombre", "destinatario", "nombre completo", "nombre y apellidos", "cliente"),
        *("nom", "destinataire", "nom complet", "nom et prenom", "client"),
        *("empfanger", "vollstandiger name", "kunde", "vor und nachname", "empfangername"),
    ),
    "organisation": (
        *("company", "organisation", "organization", "company name", "shipping company", "business"),
        *("empresa", "organizacion", "razon social", "compania"),
        *("societe", "entreprise", "raison sociale"),
        *("firma", "unternehmen", "firmenname"),
    ),
    "street_1": (
        *("address", "address 1", "address line 1", "address1", "street", "street address", "street 1", "line 1"),
        *("shipping street", "shipping address 1", "shipping address1", "ship to address 1", "street line 1"),
        *("direccion", "direccion 1", "calle", "domicilio", "linea 1"),
        *("adresse", "adresse 1", "rue", "adresse ligne 1", "voie"),
        *("strasse", "anschrift", "adresszeile 1", "strasse und hausnummer", "strasse 1"),
    ),
    "street_2": (
        *("address 2", "address line 2", "address2", "apartment", "apt", "suite", "unit", "street 2", "line 2"),
        *("shipping address 2", "shipping address2", "street line 2"),
        *("direccion 2", "piso", "linea 2", "puerta"),
        *("adresse 2", "complement", "complement d adresse", "adresse ligne 2", "batiment"),
        *("adresszusatz", "zusatz", "adresszeile 2", "strasse 2"),
    ),
    "street_3": ("address 3", "address line 3", "address3", "direccion 3", "adresse 3", "adresszeile 3", "line 3"),
    "house_number": ("house number", "house no", "numero", "numero exterior", "numero de rue", "hausnummer", "haus nr"),
    "dependent_locality": (
        *("district", "neighbourhood", "neighborhood", "suburb", "barrio", "colonia", "quartier", "lieu dit"),
        *("ortsteil", "stadtteil"),
    ),
    "locality": (
        *("city", "town", "place", "locality", "shipping city", "city town", "post town", "ship to city"),
        *("ciudad", "poblacion", "localidad", "municipio"),
        *("ville", "commune", "localite"),
        *("ort", "stadt", "wohnort"),
    ),
    "administrative_area": (
        *("state", "province", "region", "county", "area", "state province", "shipping province", "shipping state"),
        *("provincia", "estado", "comunidad", "departamento"),
        *("departement", "etat", "canton"),
        *("bundesland", "kanton", "provinz"),
    ),
    "postcode": (
        *("postcode", "post code", "postal code", "zip", "zip code", "zipcode", "shipping zip", "ship to zip"),
        *("codigo postal", "cp", "c p"),
        *("code postal",),
        *("plz", "postleitzahl"),
    ),
    "country": (
        *("country", "country code", "shipping country", "ship to country", "country iso"),
        *("pais", "codigo de pais"),
        *("pays", "code pays"),
        *("land", "landercode", "landeskurzel"),
    ),
    "email": (
        *("email", "e mail", "mail", "email address", "e mail address"),
        *("correo", "correo electronico"),
        *("courriel", "adresse e mail", "adresse email", "e mail adresse"),
    ),
    "phone": (
        *("phone", "telephone", "mobile", "phone number", "shipping phone", "tel"),
        *("telefono", "movil"),
        *("numero de telephone", "portable"),
        *("telefon", "handy", "telefonnummer", "mobil"),
    ),
    "note": (
        *("note", "notes", "instructions", "delivery instructions", "delivery note", "comment"),
        *("nota", "notas", "observaciones", "instrucciones"),
        *("remarque", "instructions de livraison", "commentaire"),
        *("hinweis", "bemerkung", "anmerkung", "lieferhinweis"),
    ),
    "product": (
        *("product", "service", "shipping method", "shipping service", "delivery service"),
        *("producto", "servicio"),
        *("produit",),
        *("produkt", "versandart"),
    ),
    "extras": ("extras", "options", "services", "opciones", "zusatzleistungen"),
    "contents": (
        *("contents", "content", "description", "goods", "contents description", "item description", "items"),
        *("contenido", "descripcion", "articulos", "mercancia"),
        *("contenu", "designation", "marchandise", "articles"),
        *("inhalt", "beschreibung", "ware", "warenbeschreibung", "artikel"),
    ),
    "hs_code": ("hs", "hs code", "customs tariff number", "codigo hs", "code sh", "code douanier", "zolltarifnummer"),
    "un": ("un", "un number", "numero onu", "numero un", "un nummer"),
    "battery": ("battery", "batteries", "bateria", "pila", "batterie", "pile", "akku"),
    "value": (
        *("value", "declared value", "amount", "item value", "total", "valor", "valor declarado", "importe"),
        *("valeur", "valeur declaree", "montant", "wert", "warenwert", "betrag"),
    ),
}
_MEASURE_WORDS: Final = {
    "weight": ("weight", "peso", "poids", "gewicht", "parcel weight", "item weight"),
    "length": ("length", "largo", "longitud", "longueur", "lange", "laenge"),
    "width": ("width", "ancho", "anchura", "largeur", "breite"),
    "height": ("height", "alto", "altura", "hauteur", "hohe", "hoehe"),
    "size": ("size", "dimensions", "tamano", "dimensiones", "medidas", "taille", "grosse", "masse", "abmessungen"),
}
_UNIT_WORDS: Final = {
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramos", "grammes", "gramm"), "g"),
    **dict.fromkeys(("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"), "kg"),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), "lb"),
    **dict.fromkeys(("oz", "ounce", "ounces"), "oz"),
    **{unit: unit for unit in LENGTHS},
    **dict.fromkeys(("inch", "inches"), "in"),
}
_MEASURE_OF: Final = {word: measure for measure, words in _MEASURE_WORDS.items() for word in words}
_NAMED: Final = {word: field for field, words in SYNONYMS.items() for word in (field.replace("_", " "), *words)}
assert set(SYNONYMS) == set(PLAIN), "every field has names"  # noqa: S101 -- a hole in the table must stop the start
assert not set(_NAMED) & set(_MEASURE_OF), "a name means one thing"  # noqa: S101 -- as above

_HEAVY: Final = 30.0
"""A column of weights without a unit is of kilograms where a half of them is not above this, else of grams."""


def folded(header: str) -> str:
    """Return a header as the table has it: small letters without marks, words with one space between."""
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss")).casefold()
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())


def suggested(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return what each column is taken for, by its name; each field once, the first column that has its name."""
    found: list[str] = []
    for at, name in enumerate(header):
        field = _meant(folded(name), [row[at] for row in rows[:50] if at < len(row)])
        found.append(field if field and field not in found and not _beside(field, found) else IGNORED)
    return tuple(found)


def _beside(field: str, found: Sequence[str]) -> bool:
    """Return whether the same measure was found in another unit already."""
    measure = measure_of(field)
    return bool(measure) and any(measure_of(one) == measure for one in found)


def measure_of(field: str) -> str:
    """Return what a field measures (weight, length, ...), and nothing for the others."""
    return field.rpartition("_")[0] if field in MEASURED else ""


def _meant(name: str, texts: Sequence[str]) -> str:
    if name in _NAMED:
        return _NAMED[name]
    if name in FIELDS:
        return name
    words = name.split()
    if words and words[-1] in _UNIT_WORDS:
        unit = _UNIT_WORDS[words.pop()]
        if words and words[-1] == "in" and unit != "in":  # weight in kg
            words.pop()
        field = f"{_MEASURE_OF.get(' '.join(words), '-')}_{unit}"
        return field if field in MEASURED else IGNORED
    measure = _MEASURE_OF.get(name)
    if measure is None:
        return IGNORED
    return f"{measure}_{_likely_unit(measure, texts)}"


def _likely_unit(measure: str, texts: Sequence[str]) -> str:
    """Return the unit that a column without one probably has; whoever maps sees it and can say otherwise."""
    units = WEIGHTS if measure == "weight" else LENGTHS
    for text in texts:
        said = re.search(r"[a-z]+\s*$", text.casefold())
        if said and _UNIT_WORDS.get(said[0].strip()) in units:
            return _UNIT_WORDS[said[0].strip()]
    numbers = sorted(float(one[0].replace(",", ".")) for text in texts if (one := re.search(r"\d+([.,]\d+)?", text)))
    middle = numbers[len(numbers) // 2] if numbers else 0.0
    if measure == "weight":
        return "kg" if middle <= _HEAVY else "g"
    return "cm" if middle <= 10 * _HEAVY else "mm"


def problems_of(columns: Sequence[str], defaults: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return (field, code) of what is wrong with a mapping: unknown, said twice, or an address that is not whole."""
    taken = [field for field in columns if field != IGNORED]
    found = [(field, "unknown_field") for field in taken if field not in FIELDS]
    found += [(field, "unknown_field") for field in defaults if field not in DEFAULTED]
    measures = [measure_of(field) or field for field in taken]
    found += [(field, "twice") for at, field in enumerate(taken) if measures[at] in measures[:at]]
    found += [(field, "no_column") for field in NEEDED if field not in taken]
    if not {"addressee", "organisation"} & set(taken):
        found.append(("addressee", "no_column"))
    return tuple(found)
