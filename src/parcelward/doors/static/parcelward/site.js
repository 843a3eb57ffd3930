// Small comforts of every page: the error summary gets the focus, buttons that need JavaScript appear, copying works.
"use strict";

const summary = document.querySelector("[data-focus]");
if (summary) summary.focus();

// Whoever has just signed out lands here: the browser's other pages are told to ask whether they may still show anything.
if (location.hash === "#signed-out") {
  history.replaceState(null, "", location.pathname);
  if (globalThis.BroadcastChannel) {
    const tabs = new BroadcastChannel("session");
    tabs.postMessage("");
    tabs.close();
  }
}

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
