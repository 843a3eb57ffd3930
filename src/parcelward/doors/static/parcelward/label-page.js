/* The courier's page: fetches lent keys while there is a network, keeps them until they end, and shows what label.js opens.
 * Nothing that was opened is kept or sent anywhere. */

import { all, read, remove, signingPair, write } from "./device.js";
import {
  LabelRefused, base64url, bytesOf, hex, itemNumber, oneTimePair, openCourier, openLoan, parse, readerStatement, unbase64url,
} from "./label.js";

const page = document.getElementById("label"), texts = JSON.parse(document.getElementById("label-texts").textContent);
const at = (id) => document.getElementById(id);
/** What an object itself has under a name that came from outside; nothing that every object inherits. */
const own = (of, name) => (Object.hasOwn(of, name) ? of[name] : undefined);
const say = (code, facts = {}) =>
  (own(texts, code) ?? texts.failed).replace(/\{(\w+)\}/g, (whole, name) => own(facts, name) ?? whole);
const CLOCK_BACK_MS = 300_000, FORGET_S = 7 * 86_400; // a loan that is over is named for a week, without its key

const loans = () => all("loan");

/** The time, or a refusal where the device's clock went backwards since it was last looked at. */
async function now() {
  const time = Date.now(), newest = (await read("clock")) ?? 0;
  if (time < newest - CLOCK_BACK_MS) throw new LabelRefused("clock_back");
  await write("clock", Math.max(time, newest));
  return time / 1000;
}

/** Forget every key whose round is over. */
async function sweep() {
  const time = Math.max(Date.now(), (await read("clock")) ?? 0) / 1000;
  for (const loan of await loans()) {
    if (time > loan.expiresAt + FORGET_S) await remove(`loan:${loan.loan}`);
    else if (loan.privateKey && time >= loan.expiresAt) await write(`loan:${loan.loan}`, { ...loan, privateKey: null });
  }
}

// --- what is shown ---
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
async function showLoans() {
  await sweep();
  const held = (await loans()).sort((a, b) => b.expiresAt - a.expiresAt || b.epoch - a.epoch), list = at("loans");
  list.replaceChildren(
    ...held.map((loan) => {
      const row = document.createElement("li"), until = clock.format(new Date(loan.expiresAt * 1000));
      row.textContent = say(loan.privateKey ? "loan" : "loan_ended", { ...loan, week: loan.week, until });
      row.dataset.state = loan.privateKey ? "running" : "over";
      return row;
    }),
  );
  at("no-loans").hidden = held.length > 0;
}
function clear() {
  at("result").hidden = at("refused").hidden = true;
  for (const id of ["name", "lines", "note", "refused-words"]) at(id).replaceChildren();
}
function refuse(error, where) {
  const known = error instanceof LabelRefused;
  at("refused-words").textContent = say(known ? error.code : "failed", error.facts);
  at("refused-title").textContent = say(where);
  at("refused").hidden = false;
  at("refused").focus();
  if (!known) console.warn("label page", error.name); // never what was in it
}
function show({ name, lines, note }) {
  at("name").textContent = name;
  at("lines").replaceChildren(...lines.flatMap((line, i) => (i ? [document.createElement("br"), line] : [line])));
  at("note").textContent = note;
  at("note-row").hidden = !note;
  at("result").hidden = false;
  at("result").focus();
}

// --- what the buttons do ---
async function fetchKeys() {
  if (!navigator.onLine) throw new LabelRefused("no_network");
  const signing = await signingPair(), reader = await oneTimePair(), atMs = Date.now();
  const signature = new Uint8Array(
    await crypto.subtle.sign("Ed25519", signing.privateKey, readerStatement(reader.public, atMs)),
  );
  const body = { device_key: base64url(signing.public), reader_key: base64url(reader.public), at_ms: atMs };
  const headers = { "Content-Type": "application/json", "X-CSRFToken": page.dataset.csrf };
  let answer, said;
  try {
    const asked = JSON.stringify({ ...body, signature: base64url(signature) });
    answer = await fetch(page.dataset.keys, { method: "POST", headers, body: asked, redirect: "manual" });
  } catch {
    throw new LabelRefused("no_network");
  }
  try { said = await answer.json(); } catch { throw new LabelRefused("signed_out"); }
  if (!answer.ok) {
    if (said.code === "revoked") for (const loan of await loans()) await remove(`loan:${loan.loan}`);
    throw new LabelRefused(own(texts, said.code) ? said.code : "not_given");
  }
  for (const handed of said.loans) await write(`loan:${handed.loan}`, { ...(await openLoan(handed, reader)), week: handed.week });
  const given = new Set(said.loans.map((handed) => handed.loan));
  for (const loan of await loans()) if (loan.privateKey && !given.has(loan.loan)) await remove(`loan:${loan.loan}`); // was ended
  at("fetched").textContent = say(said.loans.length ? "fetched" : "nothing_lent");
}
async function openTyped() {
  const item = itemNumber(at("item").value), code = at("code").value;
  if (!item) throw new LabelRefused("no_item");
  if (!code.trim()) throw new LabelRefused("no_code");
  const time = await now();
  show(await openCourier(parse(bytesOf(code)), item, await loans(), time));
}
async function turn(where, work) {
  clear();
  at("fetched").textContent = "";
  try { await work(); } catch (error) { refuse(error, where); }
  await showLoans();
}

// --- the camera: codes are read in the browser, no picture leaves it ---
async function useCamera() {
  const video = at("video"), detector = new BarcodeDetector({ formats: ["qr_code", "code_128"] });
  let stream;
  try { stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }); } catch {
    throw new LabelRefused("no_camera");
  }
  const stop = () => { for (const track of stream.getTracks()) track.stop(); video.srcObject = null; at("camera-box").hidden = true; };
  at("camera-stop").onclick = stop;
  at("camera-box").hidden = false;
  video.srcObject = stream;
  await video.play();
  at("item").value = at("code").value = "";
  while (video.srcObject) {
    for (const found of await detector.detect(video).catch(() => [])) {
      if (found.format === "qr_code") at("code").value = found.rawValue;
      else at("item").value = found.rawValue;
    }
    if (at("item").value && at("code").value) { stop(); await openTyped(); }
    await new Promise((next) => setTimeout(next, 100));
  }
}

async function begin() {
  at("without-script").hidden = true;
  at("fetch").addEventListener("click", () => turn("not_fetched", fetchKeys));
  at("form").addEventListener("submit", (event) => { event.preventDefault(); turn("not_opened", openTyped); });
  at("next").addEventListener("click", () => { clear(); at("form").reset(); at("item").focus(); });
  document.addEventListener("session:over", () => { clear(); at("form").reset(); }); // the keys outlive it, what they opened does not
  if ("BarcodeDetector" in globalThis && navigator.mediaDevices) {
    at("camera").hidden = false;
    at("camera").addEventListener("click", () => turn("not_opened", useCamera));
  }
  try {
    const signing = await signingPair();
    at("device-key").textContent = base64url(signing.public);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", signing.public));
    at("key-id").textContent = `dev-${hex(digest).slice(0, 20)}`;
    await showLoans();
    at("with-script").hidden = false;
    page.dataset.state = "ready";
    setInterval(showLoans, 30_000);
  } catch (error) {
    at("with-script").hidden = false;
    for (const id of ["fetch", "open"]) at(id).disabled = true;
    refuse(new LabelRefused("old_browser"), "not_opened");
    page.dataset.state = "unable";
  }
}
begin();
