"""EPC URIs and Digital Links brought to one form. The pairs are worked by hand from the GS1 General Specifications."""

from __future__ import annotations

import pytest

from parcelward.base.standards.epcis.identifiers import canonical

PAIRS = [
    ("urn:epc:id:sgtin:4012345.011111.9876", "https://id.gs1.org/01/04012345111118/21/9876"),
    ("urn:epc:id:sgtin:0614141.812345.6789%2F%26!()", "https://id.gs1.org/01/80614141123458/21/6789%2F%26%21%28%29"),
    ("urn:epc:id:sscc:4012345.0000000333", "https://id.gs1.org/00/040123450000003338"),
    ("urn:epc:id:sgln:4012345.00005.0", "https://id.gs1.org/414/4012345000054"),
    ("urn:epc:id:sgln:4012345.00005.122", "https://id.gs1.org/414/4012345000054/254/122"),
    ("urn:epc:id:pgln:4012345.00000", "https://id.gs1.org/417/4012345000009"),
    ("urn:epc:id:pgln:999999999999.", "https://id.gs1.org/417/9999999999994"),
    ("urn:epc:id:grai:4012345.00022.334455", "https://id.gs1.org/8003/04012345000221334455"),
    ("urn:epc:id:giai:4012345.ABC345", "https://id.gs1.org/8004/4012345ABC345"),
    ("urn:epc:id:gsrn:4012345.0000006765", "https://id.gs1.org/8018/401234500000067657"),
    ("urn:epc:id:gdti:4012345.00009.PO-4711", "https://id.gs1.org/253/4012345000092PO-4711"),
    ("urn:epc:id:gsin:4012345.222333444", "https://id.gs1.org/402/40123452223334442"),
    ("urn:epc:class:lgtin:4012345.012345.Lot987", "https://id.gs1.org/01/04012345123456/10/Lot987"),
    ("urn:epc:idpat:sgtin:4054739.099914.*", "https://id.gs1.org/01/04054739999148"),
    (
        "https://example.com/some/gtin/9780345418913/lot/7/21/765tz?a=1#b",
        "https://id.gs1.org/01/09780345418913/21/765tz",
    ),
    ("http://post.example/00/040123450000003338", "https://id.gs1.org/00/040123450000003338"),
    # Not identifiers, and left alone.
    ("urn:epc:id:sscc:4012345.333", "urn:epc:id:sscc:4012345.333"),
    ("urn:epc:id:sgtin:4012345.01111a.9876", "urn:epc:id:sgtin:4012345.01111a.9876"),
    ("urn:epc:id:sgtin:4012345.\u066011111.9876", "urn:epc:id:sgtin:4012345.\u066011111.9876"),
    ("urn:epc:id:unknown:1.2", "urn:epc:id:unknown:1.2"),
    ("urn:epc:idpat:sgtin:4012345.*.*", "urn:epc:idpat:sgtin:4012345.*.*"),
    ("urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8", "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"),
    ("http://transaction.acme.example/po/12345678", "http://transaction.acme.example/po/12345678"),
    ("https://post.example/00/0401234500000033", "https://post.example/00/0401234500000033"),
    ("https://post.example/01/09780345418913/price/5", "https://post.example/01/09780345418913/price/5"),
]


@pytest.mark.parametrize(("text", "expected"), PAIRS)
def test_an_identifier_has_one_canonical_form(text: str, expected: str) -> None:
    assert canonical(text) == expected
    assert canonical(expected) == expected
