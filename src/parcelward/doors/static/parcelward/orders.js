// A new order: countries in the reader's language, in its order. Everything else works without this.
"use strict";

const language = document.documentElement.lang;
const names = globalThis.Intl?.DisplayNames ? new Intl.DisplayNames([language], { type: "region" }) : null;
if (names) {
  for (const line of document.querySelectorAll("[data-country]")) line.textContent = names.of(line.dataset.country);
  for (const list of document.querySelectorAll("[data-countries]")) {
    const chosen = list.value;
    const options = [...list.options].filter((option) => option.value);
    for (const option of options) option.textContent = names.of(option.value);
    options.sort((one, other) => one.text.localeCompare(other.text, language));
    list.append(...options);
    list.value = chosen;
  }
}
