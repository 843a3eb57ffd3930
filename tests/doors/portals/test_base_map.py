"""The offline base map: nothing in it is drawn right across the world."""

from __future__ import annotations

import itertools
import json

import pytest

from parcelward.doors.portals import assets

BASE = assets.FOLDER / "vendor/base-map.json"
HALF_WAY_ROUND = 180
SOUTH_POLE = -60


def test_no_coast_jumps_from_one_edge_of_the_map_to_the_other() -> None:
    if not BASE.exists():
        pytest.skip("the front end is not vendored: run scripts/vendor_frontend.py")
    features = json.loads(BASE.read_text(encoding="utf-8"))["features"]
    land = [f["geometry"] for f in features if f["properties"]["kind"] == "land"]
    polygons = [p for g in land for p in (g["coordinates"] if g["type"] == "MultiPolygon" else [g["coordinates"]])]
    assert len(polygons) > 100
    jumps = [
        (here, there)
        for polygon in polygons
        for ring in polygon
        for here, there in itertools.pairwise(ring)
        if abs(here[0] - there[0]) > HALF_WAY_ROUND and here[1] > SOUTH_POLE  # Antarctica goes all the way round
    ]
    assert jumps == []
