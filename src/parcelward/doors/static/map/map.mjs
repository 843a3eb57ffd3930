// The map of coarse places: our own base map of land and borders, no tiles, no letters fetched, no request to another host.

const KILOMETRE_ZOOM = 9; // closer would pretend to know more than the kilometre that we show

const FIRST_ZOOM = 5.2; // far enough out that borders say where this is

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  return { water: token("--water"), land: token("--paper"), border: token("--edge"), state: token("--line"), way: token("--post") };
};

const style = (base, c) => ({
  version: 8,
  sources: { base: { type: "geojson", data: base }, way: { type: "geojson", data: line([]) } },
  layers: [
    { id: "water", type: "background", paint: { "background-color": c.water } },
    { id: "land", type: "fill", source: "base", filter: ["==", ["get", "kind"], "land"], paint: { "fill-color": c.land, "fill-outline-color": c.state } },
    { id: "state", type: "line", source: "base", filter: ["==", ["get", "kind"], "state"], paint: { "line-color": c.state, "line-width": 1 } },
    { id: "border", type: "line", source: "base", filter: ["==", ["get", "kind"], "border"], paint: { "line-color": c.border, "line-width": 1 } },
    { id: "way", type: "line", source: "way", paint: { "line-color": c.way, "line-width": 2, "line-dasharray": [2, 2] } },
  ],
});

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
    fitBoundsOptions: { padding: 48, maxZoom: FIRST_ZOOM },
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
    markers = next.map(([name, longitude, latitude, newest]) => new Marker({ element: dot(map, name, longitude, newest) }).setLngLat([longitude, latitude]).addTo(map));
    map.getSource("way")?.setData(line(next.length > 1 ? next.map(([, longitude, latitude]) => [longitude, latitude]) : []));
    map.fitBounds(around(LngLatBounds, next), { padding: 48, maxZoom: FIRST_ZOOM, animate: false });
  };
  await new Promise((resolve, reject) => {
    map.once("load", resolve);
    map.once("error", (event) => reject(event.error));
  });
  show(spots);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    const c = colours();
    map.setPaintProperty("water", "background-color", c.water);
    map.setPaintProperty("land", "fill-color", c.land);
    map.setPaintProperty("land", "fill-outline-color", c.state);
    map.setPaintProperty("state", "line-color", c.state);
    map.setPaintProperty("border", "line-color", c.border);
    map.setPaintProperty("way", "line-color", c.way);
  });
  return { show };
}

const around = (LngLatBounds, spots) => spots.reduce((bounds, [, longitude, latitude]) => bounds.extend([longitude, latitude]), new LngLatBounds());

const dot = (map, name, longitude, newest) => {
  const made = document.createElement("div");
  made.className = newest ? "pw-map__spot pw-map__spot--newest" : "pw-map__spot";
  if (newest) {
    const words = document.createElement("span");
    // A name on the far side of the middle would run over the edge.
    words.className = longitude > map.getCenter().lng ? "pw-map__name pw-map__name--left" : "pw-map__name";
    words.textContent = name;
    made.append(words);
  }
  return made;
};
