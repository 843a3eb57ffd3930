// The map of coarse places: our own base map of land, borders and names, no tiles, no request to another host. No letters
// are fetched: without an address for them, MapLibre draws them with the reader's own fonts.

const KILOMETRE_ZOOM = 9; // closer would pretend to know more than the kilometre that we show

const FIRST_ZOOM = 3.9; // a single place: far enough out that borders and names say where this is
const CITY_ZOOM = 8; // a journey inside one city: close enough to tell its places apart

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  return { water: token("--water"), land: token("--paper"), border: token("--edge"), state: token("--line"), way: token("--post"), ink: token("--ink"), muted: token("--muted") };
};

const letters = (size, colour, c) => ({
  layout: { "text-field": ["get", "name"], "text-font": ["sans-serif"], "text-size": size, "text-max-width": 8 },
  paint: { "text-color": c[colour], "text-halo-color": c.land, "text-halo-width": 1.5 },
});
const name = (id, source, kind, zooms, size, colour, c) =>
  ({ id, type: "symbol", source, filter: ["==", ["get", "kind"], kind], ...zooms, ...largestFirst(letters(size, colour, c)) });
// The larger first; and a name makes way for the place that stands on it.
const largestFirst = ({ layout, paint }) => {
  const room = { "text-variable-anchor": ["center", "top", "bottom", "left", "right"], "text-radial-offset": 2 };
  return { layout: { ...layout, ...room, "symbol-sort-key": ["-", ["get", "size"]] }, paint };
};

const style = (base, c) => ({
  version: 8,
  sources: { base: { type: "geojson", data: base }, way: { type: "geojson", data: line([]) }, names: { type: "geojson", data: collection([]) }, spots: { type: "geojson", data: collection([]) } },
  layers: [
    { id: "water", type: "background", paint: { "background-color": c.water } },
    { id: "land", type: "fill", source: "base", filter: ["==", ["get", "kind"], "land"], paint: { "fill-color": c.land, "fill-outline-color": c.state } },
    { id: "state", type: "line", source: "base", filter: ["==", ["get", "kind"], "state"], paint: { "line-color": c.state, "line-width": 1 } },
    { id: "border", type: "line", source: "base", filter: ["==", ["get", "kind"], "border"], paint: { "line-color": c.border, "line-width": 1 } },
    { id: "way", type: "line", source: "way", paint: { "line-color": c.way, "line-width": 2, "line-dasharray": [2, 2] } },
    name("name-state", "names", "state", { minzoom: 3.5 }, 12, "muted", c),
    name("name-country", "names", "country", { maxzoom: 6 }, 13, "muted", c),
    spotNames(c), // an upper layer finds its room before those below it
    SPOTS,
  ],
});
// Unseen: the spots themselves lie above the map, and this keeps names out from under them.
const SPOTS = { id: "spot", type: "symbol", source: "spots", paint: { "text-opacity": 0 },
  layout: { "text-field": "■", "text-font": ["sans-serif"], "text-size": 16, "text-allow-overlap": true } };
const spotNames = (c) => {
  const { layout, paint } = letters(["case", ["get", "newest"], 15, 13], "ink", c);
  const room = { "text-variable-anchor": ["bottom", "top", "left", "right"], "text-radial-offset": 0.8, "text-max-width": 12 };
  return { id: "name-spot", type: "symbol", source: "spots", layout: { ...layout, ...room, "symbol-sort-key": ["case", ["get", "newest"], 0, 1] }, paint };
};

const collection = (features) => ({ type: "FeatureCollection", features });

// Countries in the reader's language: the base map knows their numeric codes (ISO 3166-1), the browser their names.
const localised = (names) => {
  const words = new Intl.DisplayNames(document.documentElement.lang, { type: "region", fallback: "none" });
  const said = ({ kind, code, name: english }) => (kind === "country" && code && words.of(new Intl.Locale(`und-${code}`).region)) || english;
  return { ...names, features: names.features.map((feature) => ({ ...feature, properties: { ...feature.properties, name: said(feature.properties) } })) };
};
// A place passed several times is named once.
const named = (points) => collection([...new Map(points.map(([spot, longitude, latitude, newest]) => [spot,
  { type: "Feature", properties: { name: spot, newest }, geometry: { type: "Point", coordinates: [longitude, latitude] } }])).values()]);

// Straight and dashed: nobody saw which road was taken. The shorter way round the earth: beyond 180 degrees the map goes on at its other edge.
const line = (points) => {
  const near = [];
  for (const [longitude, latitude] of points) {
    const from = near.length ? near[near.length - 1][0] : longitude;
    near.push([longitude + 360 * Math.round((from - longitude) / 360), latitude]);
  }
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: near } };
};

const button = (label, sign, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = sign;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
};

export async function draw(box, spots) {
  const { Map, Marker, LngLatBounds, setWorkerUrl } = await import(box.dataset.maplibre);
  setWorkerUrl(new URL(box.dataset.worker, location.href).href);
  const map = new Map({
    container: box,
    style: style(box.dataset.base, colours()),
    bounds: around(LngLatBounds, spots),
    fitBoundsOptions: { padding: 48, maxZoom: firstZoom(spots) },
    maxZoom: KILOMETRE_ZOOM,
    attributionControl: false,
    cooperativeGestures: true,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    fadeDuration: 0,
    locale: {
      "CooperativeGesturesHandler.WindowsHelpText": box.dataset.wheel,
      "CooperativeGesturesHandler.MacHelpText": box.dataset.wheel,
      "CooperativeGesturesHandler.MobileHelpText": box.dataset.still,
      "Map.Title": box.dataset.label,
    },
  });
  map.touchZoomRotate.disableRotation();
  const zoom = document.createElement("div");
  zoom.className = "pw-map__zoom";
  zoom.append(button(box.dataset.zoomIn, "+", () => map.zoomIn()), button(box.dataset.zoomOut, "−", () => map.zoomOut()));
  box.append(zoom);

  let markers = [];
  let shown = "";
  const show = (next) => {
    if (JSON.stringify(next) === shown) return;
    shown = JSON.stringify(next);
    for (const marker of markers) marker.remove();
    markers = next.map(([, longitude, latitude, newest]) => new Marker({ element: dot(newest) }).setLngLat([longitude, latitude]).addTo(map));
    map.getSource("spots")?.setData(named(next));
    map.getSource("way")?.setData(line(next.length > 1 ? next.map(([, longitude, latitude]) => [longitude, latitude]) : []));
    map.fitBounds(around(LngLatBounds, next), { padding: 48, maxZoom: firstZoom(next), animate: false });
  };
  await new Promise((resolve, reject) => {
    map.once("load", resolve);
    map.once("error", (event) => reject(event.error));
  });
  show(spots);
  if (box.dataset.names) fetch(box.dataset.names).then((answer) => answer.json()).then((names) => map.getSource("names")?.setData(localised(names)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    const c = colours();
    map.setPaintProperty("water", "background-color", c.water);
    map.setPaintProperty("land", "fill-color", c.land);
    map.setPaintProperty("land", "fill-outline-color", c.state);
    map.setPaintProperty("state", "line-color", c.state);
    map.setPaintProperty("border", "line-color", c.border);
    map.setPaintProperty("way", "line-color", c.way);
    for (const [layer, colour] of [["name-state", c.muted], ["name-country", c.muted], ["name-spot", c.ink]]) {
      map.setPaintProperty(layer, "text-color", colour);
      map.setPaintProperty(layer, "text-halo-color", c.land);
    }
  });
  return { show };
}

// Places that are apart by what the map can show are fitted; one alone has nothing around it that says where it is.
const firstZoom = (spots) => (new Set(spots.map(([, longitude, latitude]) => `${longitude} ${latitude}`)).size > 1 ? CITY_ZOOM : FIRST_ZOOM);

const around = (LngLatBounds, spots) => spots.reduce((bounds, [, longitude, latitude]) => bounds.extend([longitude, latitude]), new LngLatBounds());

const dot = (newest) => {
  const made = document.createElement("div");
  made.className = newest ? "pw-map__spot pw-map__spot--newest" : "pw-map__spot";
  return made;
};
