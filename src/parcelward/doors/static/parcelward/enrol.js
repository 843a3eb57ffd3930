// A device enrols itself: it makes an Ed25519 key pair that cannot leave this browser, signs the code with it, and keeps
// the pair in IndexedDB. The code stands behind the # of the address, which browsers send to nobody.
import { makePair, read, write } from "./device.js";

const page = document.getElementById("enrol");
const show = (state) => {
  page.dataset.state = state;
  for (const part of page.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
};

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const message = (code) => new TextEncoder().encode(`parcelward/v1/enrol\0${code}`);

const pairFor = async (code) => {
  const before = await read("pending"); // the answer may have been lost: the same key with the same code is known
  if (before?.code === code) return before.pair;
  const pair = await makePair();
  await write("pending", { code, pair });
  return pair;
};

const shown = (device) => {
  const line = page.querySelector("[data-name]");
  const words = device.facility ? line.dataset.name : line.dataset.anywhere;
  line.textContent = words.replace("NAME", () => device.name).replace("PLACE", () => device.facility);
  show("enrolled");
};

const enrol = async (code) => {
  show("making");
  let pair, sent;
  try {
    pair = await pairFor(code);
    const publicKey = await crypto.subtle.exportKey("raw", pair.publicKey);
    const signature = await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, message(code));
    sent = JSON.stringify({ code, public_key: base64(publicKey), signature: base64(signature) });
  } catch {
    return show("too-old");
  }
  let answer, said;
  try {
    const csrf = page.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf };
    answer = await fetch("/enrol/device", { method: "POST", headers, body: sent });
    said = await answer.text();
  } catch {
    return show("later");
  }
  if (answer.status === 429 || answer.status >= 500) return show("later");
  if (!answer.ok) return show("refused");
  const device = { ...JSON.parse(said), pair };
  await write("device", device);
  await write("pending", null);
  history.replaceState(null, "", location.pathname); // the code is used up and need not stay in the history
  shown(device);
};

const begin = async () => {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return show("too-old");
  if (code) return enrol(code);
  const device = await read("device").catch(() => null);
  return device ? shown(device) : show("no-code");
};
page.querySelector("[data-again]").addEventListener("click", begin);
begin();
