// Asks the device for a passkey and sends its answer with the form it stands in. Nothing is kept here.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const create = async ({ publicKey }) => {
  const user = { ...publicKey.user, id: bytes(publicKey.user.id) };
  const options = {
    ...publicKey,
    user,
    challenge: bytes(publicKey.challenge),
    excludeCredentials: known(publicKey.excludeCredentials),
  };
  return navigator.credentials.create({ publicKey: options });
};

const get = async ({ publicKey }) => {
  const options = {
    ...publicKey,
    challenge: bytes(publicKey.challenge),
    allowCredentials: known(publicKey.allowCredentials),
  };
  return navigator.credentials.get({ publicKey: options });
};

const answer = (made) => {
  const { response } = made;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    said.attestationObject = text(response.attestationObject);
    said.transports = response.getTransports ? response.getTransports() : [];
  } else {
    said.authenticatorData = text(response.authenticatorData);
    said.signature = text(response.signature);
    said.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: said,
    clientExtensionResults: made.getClientExtensionResults(),
    authenticatorAttachment: made.authenticatorAttachment ?? null,
  };
};

const optionsOf = async (form) => {
  const where = form.dataset.options;
  if (!where.startsWith("/")) return JSON.parse(document.getElementById(where).textContent);
  const sent = new FormData();
  sent.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const given = await fetch(where, { method: "POST", body: sent, headers: { Accept: "application/json" } });
  if (!given.ok) throw new Error(given.status === 429 ? form.dataset.busy : "");
  return given.json();
};

const say = (form, words) => {
  const problem = form.querySelector(".pw-passkey-problem");
  problem.textContent = words;
  problem.hidden = !words;
};

for (const form of document.querySelectorAll("[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return; // it has its answer: let it go
    event.preventDefault();
    say(form, "");
    if (!navigator.credentials) return say(form, form.dataset.missing);
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      const options = await optionsOf(form);
      const made = await (form.dataset.passkey === "create" ? create(options) : get(options));
      form.elements.credential.value = JSON.stringify(answer(made));
      form.submit();
    } catch (refused) {
      const given = refused instanceof DOMException || !refused.message ? form.dataset.cancelled : refused.message;
      say(form, (refused.name === "InvalidStateError" && form.dataset.known) || given);
    } finally {
      button.disabled = false;
    }
  });
}

const fromLink = document.querySelector("[data-code-from-link]");
const takeCode = () => {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return;
  history.replaceState(null, "", location.pathname); // the code stays in no history
  fromLink.elements.code.value = code;
  fromLink.submit();
};
if (fromLink) {
  takeCode();
  addEventListener("hashchange", takeCode); // the whole link typed where this page is open already
}
