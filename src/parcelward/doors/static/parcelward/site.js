// Small comforts of every page: the error summary gets the focus, buttons that need JavaScript appear, copying works.
"use strict";

const summary = document.querySelector("[data-focus]");
if (summary) summary.focus();

const showCopyButtons = () => {
  if (!navigator.clipboard) return; // browsers offer it to https and localhost only
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
};
showCopyButtons();
document.addEventListener("htmx:afterSettle", showCopyButtons);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const status = document.getElementById("announce");
  if (status) status.textContent = button.dataset.done;
  const before = button.firstChild.textContent;
  button.firstChild.textContent = button.dataset.done;
  setTimeout(() => {
    button.firstChild.textContent = before;
  }, 2000);
});
