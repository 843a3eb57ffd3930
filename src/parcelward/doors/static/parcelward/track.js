// Keeps an open tracking page true: asks while it is looked at, says only what changed, and shows the map when it comes into view.
"use strict";

let etag = document.getElementById("announce").dataset.etag;

document.addEventListener("htmx:configRequest", (event) => {
  if (etag) event.detail.headers["If-None-Match"] = etag;
});

// A page in a hidden tab asks nothing; it looks once when it is seen again.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  const journey = document.getElementById("journey");
  if (!document.hidden && journey) journey.dispatchEvent(new Event("look"));
});

// The clock of "Today" moves the tag too, and an entry's note goes when it is proven: only a new headline or entry is news.
const told = () => {
  const entry = document.querySelector(".pw-entry__said");
  return [document.getElementById("journey")?.dataset.headline || "", entry ? entry.textContent.trim().replace(/\s+/g, " ") : ""];
};
let before = told();

// What the reader has unfolded stays so, and what has the focus keeps it: htmx finds it again by its id.
let unfolded = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  etag = event.detail.xhr.getResponseHeader("ETag") || "";
  unfolded = [...document.querySelectorAll("#journey details[open] > summary")].map((summary) => summary.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.parentElement.setAttribute("open", "");
});
document.addEventListener("htmx:afterSettle", () => {
  const now = told();
  if (now.join("|") !== before.join("|")) {
    const status = document.getElementById("announce");
    const news = now[1].startsWith(now[0]) ? [now[1]] : now; // most entries begin with the headline: it is said once
    status.textContent = `${status.dataset.words} ${news.join(". ")}`;
    document.title = document.title.replace(before[0], now[0]);
    document.getElementById("headline").classList.add("pw-changed");
  }
  before = now;
  drawMap();
});

let map = null;
const drawMap = () => {
  if (map) map.then((drawn) => drawn.show(spots()));
};
const spots = () => JSON.parse(document.getElementById("spots")?.textContent || "[]");

const place = document.getElementById("map");
if (place && place.dataset.maplibre && spots().length) {
  place.hidden = false;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = place.dataset.css;
    style.integrity = place.dataset.cssIntegrity;
    document.head.append(style);
    map = import(place.dataset.module).then((module) => module.draw(place, spots()));
    // Without WebGL or the files there is still the list of places.
    map.catch(() => {
      map = null;
      place.hidden = true;
    });
  });
  seen.observe(place);
}
