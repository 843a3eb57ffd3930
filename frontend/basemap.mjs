// Makes the offline base map: land, country borders and the borders of the states of the USA, as one small GeoJSON.
// Sources: world-atlas (Natural Earth 1:50m, public domain; packaging ISC) and us-atlas (US Census Bureau, public domain; packaging ISC).
// Usage: node basemap.mjs OUT.json NAMES.json: the second holds where the names of countries and states belong.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature, mesh } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";

const find = createRequire(import.meta.url).resolve;
const read = (name) => JSON.parse(readFileSync(find(name), "utf8"));

// Square degrees: a triangle smaller than this is dropped. 0.002 is about 5 km x 5 km, which is below the precision of what we show.
const SMALLEST_TRIANGLE = 0.002;
const DECIMALS = 2; // about 1 km, as coarse as the places themselves

const world = simplify(presimplify(read("world-atlas/countries-50m.json")), SMALLEST_TRIANGLE);
const states = simplify(presimplify(read("us-atlas/states-10m.json")), SMALLEST_TRIANGLE);

const shorten = (value) => (Array.isArray(value) ? value.map(shorten) : Number(value.toFixed(DECIMALS)));
const piece = (kind, geometry) => ({
  type: "Feature",
  properties: { kind },
  geometry: { type: geometry.type, coordinates: shorten(geometry.coordinates) },
});

// A ring that crosses the 180th meridian goes on beyond it, for the map to wrap; left as it is, it would be drawn as a line right across the world.
const unrolled = (ring) => {
  const out = [ring[0]];
  for (const [longitude, latitude] of ring.slice(1)) {
    out.push([longitude + 360 * Math.round((out[out.length - 1][0] - longitude) / 360), latitude]);
  }
  return Math.abs(out[out.length - 1][0] - out[0][0]) < 1 ? out : ring; // Antarctica goes all the way round
};
const whole = ({ type, coordinates }) => ({
  type,
  coordinates: type === "MultiPolygon" ? coordinates.map((polygon) => polygon.map(unrolled)) : coordinates.map(unrolled),
});

const land = feature(world, world.objects.land);
const lands = land.type === "FeatureCollection" ? land.features.map((f) => f.geometry) : [land.geometry];
const out = {
  type: "FeatureCollection",
  features: [
    ...lands.map((geometry) => piece("land", whole(geometry))),
    piece("border", mesh(world, world.objects.countries, (a, b) => a !== b)),
    piece("state", mesh(states, states.objects.states, (a, b) => a !== b)),
  ],
};
writeFileSync(process.argv[2], JSON.stringify(out));

// A name stands at the centre of gravity of the largest piece of its country or state.
const middle = (ring) => {
  let [area, x, y] = [0, 0, 0];
  for (const [i, [x1, y1]] of ring.slice(0, -1).entries()) {
    const [x2, y2] = ring[i + 1], cross = x1 * y2 - x2 * y1;
    [area, x, y] = [area + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross];
  }
  return { area: Math.abs(area / 2), at: [x / (3 * area), y / (3 * area)] };
};
const named = (kind) => ({ id, properties, geometry }) => {
  const { type, coordinates } = whole(geometry);
  const pieces = (type === "MultiPolygon" ? coordinates : [coordinates]).map(([ring]) => middle(ring));
  const largest = pieces.reduce((a, b) => (a.area >= b.area ? a : b));
  const at = { type: "Point", coordinates: shorten(largest.at) };
  return { type: "Feature", properties: { kind, name: properties.name, code: id, size: Math.round(largest.area) }, geometry: at };
};
const countries = feature(world, world.objects.countries).features.filter(({ geometry }) => geometry).map(named("country"));
const parts = feature(states, states.objects.states).features.filter(({ geometry }) => geometry).map(named("state"));
writeFileSync(process.argv[3], JSON.stringify({ type: "FeatureCollection", features: [...countries, ...parts] }));
