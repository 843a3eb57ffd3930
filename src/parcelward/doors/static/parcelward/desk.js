// Hands on the keyboard: j and k move in a list, Enter follows, n and p turn to the older and newer part of it, / finds,
// g goes to the queues, Esc back to the list, ? tells.
"use strict";

const typing = (element) => element.closest("input, textarea, select, [contenteditable]");
const rows = (list) => [...list.querySelectorAll("[data-row]")];

const move = (by) => {
  const here = document.activeElement.closest?.("[data-row]");
  const list = here?.closest("[data-list]") || document.querySelector("[data-list][data-first]") || document.querySelector("[data-list]");
  if (!list) return;
  const all = rows(list);
  const from = here ? all.indexOf(here) : all.findIndex((row) => row.hasAttribute("aria-current"));
  const to = from < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + by));
  all[to]?.focus();
};

const keys = {
  j: () => move(1),
  k: () => move(-1),
  g: () => document.querySelector(".pw-queues [aria-current], .pw-queues [data-row]")?.focus(),
  n: () => document.querySelector("[data-older]")?.click(),
  p: () => document.querySelector("[data-newer]")?.click(),
  "/": () => {
    const search = document.getElementById("search");
    search?.focus();
    search?.select();
  },
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    (document.querySelector(".pw-list [aria-current]") || document.querySelector(".pw-list [data-row]"))?.focus();
    return;
  }
  if (typing(event.target) || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id === "figures" && document.hidden) event.preventDefault();
});

// A row that was followed keeps the focus, so that j and k go on from there, and what has opened beside it is said; a
// turned part of the list begins at its first row.
let turned = false;
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-older], [data-newer]")) turned = true;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "panes") return;
  document.title = event.detail.xhr.responseText.match(/<title>([^<]*)<\/title>/)?.[1].trim() || document.title;
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "panes") return;
  const story = document.getElementById("story"), title = story?.querySelector("h2");
  if (turned) document.querySelector("[data-first] [data-row]")?.focus();
  else if (title) document.getElementById("announce").textContent = `${story.getAttribute("aria-label")}: ${title.innerText}`;
  turned = false;
});
