/* The proof page: fetches, runs the three steps, and shows what each gave. What must hold for a proof is in verify.js;
 * here only what stands on the page is compared with it. All words come from the page, translated; figures are as
 * computed. What this browser saw of the log and of each parcel stays in localStorage, so that neither can be exchanged
 * for another, or be shown shorter, without its noticing. */

import { openAddressee } from "./addressee.js";
import { checkShown } from "./shown.js";
import {
  ProofFailed, browserChecks, continued, entombed, grew, hex, openEvents, openLog, parsed, recorded,
  witnessed,
} from "./verify.js";

const RETRIES_MAX = 5, RETRY_MS = 1000, PARCELS_KEPT_MAX = 500;
const FORGIVABLE = ["shrunk", "forked", "origin", "rewritten"]; // by hand, on a test system that was set up anew
const words = JSON.parse(document.getElementById("proof-texts").textContent);
const page = document.getElementById("proof"), find = (id) => document.getElementById(id);
/** What an object itself has under a name that came from outside; nothing that every object inherits. */
const own = (of, name) => (Object.hasOwn(of, name) ? of[name] : undefined);
const say = (text, facts) =>
  text.replace(/\{(\w+)\}/g, (all, name) => (Object.hasOwn(facts, name) ? facts[name] : all));
const number = (n) => new Intl.NumberFormat(document.documentElement.lang).format(n);
const moment = (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ").replace(".000Z", " UTC");

/** Everything read from the server, so that the reader can keep it and check it again elsewhere. */
async function read(path, kept) {
  let answer;
  try {
    answer = await fetch(path, { cache: path.includes("/tile/") ? "default" : "no-store", credentials: "omit" });
  } catch {
    throw new ProofFailed("unreachable", path, "the server cannot be reached");
  }
  if (answer.status === 404) return null;
  if (!answer.ok) throw new ProofFailed("unreachable", path, `the server answered ${answer.status}`);
  const raw = new Uint8Array(await answer.arrayBuffer());
  kept.set(path, raw);
  return raw;
}

/** What the page shows, from the words a reader sees; a row whose words differ from its own marks is false already. */
function shownRows() {
  return [...page.querySelectorAll("[data-event]")].map((row) => {
    const [time, step, place] = ["time", "[data-step]", "[data-place]"].map((part) => row.querySelector(part));
    const marked = (mark) => row.querySelector(`[data-${mark}]`) !== null;
    const shown = { id: row.dataset.event, at: time.dateTime, step: step.dataset.step, place: place.dataset.place,
      corrects: marked("corrects"), struck: marked("struck") };
    const [seen, code] = [time.textContent.trim(), place.querySelector("code")?.textContent ?? ""];
    if (seen !== `${shown.at.slice(0, 10)} ${shown.at.slice(11, 19)} UTC` || code !== shown.place ||
        step.textContent.trim() !== (own(words.steps, shown.step) ?? shown.step) ||
        row.classList.contains("pw-corrected") !== shown.struck) {
      throw new ProofFailed("shown", "the history on this page", `its words do not fit its marks: ${row.textContent}`);
    }
    return shown;
  });
}
/** Fetch the page's own table again: between two requests, another event may have been recorded. */
async function refreshRows() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("shown");
  if (fresh) find("shown").replaceWith(fresh);
}

const SEEN = "parcelward/v1/seen"; // one record a site: an operator has one log, and its name does not change
const memory = {
  /** {origin, size, root, parcels: {item_id: [its newest proven event, that commitment, number]}}, null at first. */
  recall() {
    try {
      const seen = JSON.parse(localStorage.getItem(SEEN));
      const sized = Number.isSafeInteger(seen?.size) && /^[0-9a-f]{64}$/.test(seen.root);
      return sized && typeof seen.origin === "string" ? { ...seen, parcels: seen.parcels ?? {} } : null;
    } catch {
      return null; // a browser that keeps nothing: each visit is a first one, and the page says so
    }
  },
  keep({ origin, size, root, note }, seen, item, newest) {
    const { [item]: before, ...others } = seen?.parcels ?? {}, known = newest ?? before; // the latest goes to the end
    const listed = Object.entries(known ? { ...others, [item]: known } : others).slice(-PARCELS_KEPT_MAX);
    try {
      localStorage.setItem(SEEN, JSON.stringify({ origin, size, root: hex(root), note: note.source,
        parcels: Object.fromEntries(listed) }));
    } catch { /* as above */ }
  },
  forget() {
    try { localStorage.removeItem(SEEN); } catch { /* as above */ }
  },
};
function settle(step, state, sentence, figures) {
  const box = find(`step-${step}`);
  box.dataset.state = state;
  box.querySelector("[data-result]").textContent = words.results[state];
  box.querySelector("[data-sentence]").textContent = sentence;
  box.querySelector("pre").textContent = figures.join("\n");
  box.querySelector("details").hidden = figures.length === 0;
}
function showAddressee(opened, parts) {
  const list = find("addressee-parts");
  list.replaceChildren(...opened.filter(({ id }) => parts[id]).map(({ sequence, id }) => {
    const item = document.createElement("li"), said = document.createElement("code");
    said.textContent = parts[id];
    const whole = Object.entries(JSON.parse(parts[id]));
    const known = whole.filter(([name, of]) => of !== null && Object.hasOwn(words.addressee, name));
    const told = known.map(([name, of]) => say(words.addressee[name], { value: [of].flat().map(number).join(" × ") }));
    item.append(say(words.addressee_event, { number: number(sequence) }), " ", told.join(", "), " ", said);
    return item;
  }));
  find("addressee").hidden = false;
  find("addressee-none").hidden = list.children.length > 0;
}

/** One whole check. Returns how many events still wait for a checkpoint. */
async function check(kept, progress) {
  const answer = await read(page.dataset.proofs, kept);
  if (!answer) throw new ProofFailed("unreachable", page.dataset.proofs, "nothing there");
  const proofs = parsed(new TextDecoder().decode(answer), "malformed", "proofs");
  progress.mode = proofs.mode;
  const named = page.querySelector(".pw-number").textContent.replaceAll(" ", ""); // numbers have no spaces of their own
  if (proofs.item_id !== page.dataset.item || named !== (proofs.number || proofs.item_id)) {
    throw new ProofFailed("shown", "proofs", `are of ${proofs.number || "no number"}, ${proofs.item_id}`);
  }
  const opened = await openEvents(proofs), log = await openLog(proofs, (path) => read(`/log/${path}`, kept));
  const { head } = log;
  if (!proofs.shredded) checkShown(shownRows(), opened);
  const { proven, pending, closed, paths } = await recorded(opened, log);
  const tomb = proofs.shredded ? await entombed(proofs, log) : null, late = proofs.shredded && tomb === null ? 1 : 0;
  const counts = { proven, total: opened.length, pending, closed, all: proofs.events_total };
  const facts = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, number(count)]));
  const found = opened.filter(({ leaf }) => leaf).flatMap(({ where, commitment, leaf, logIndex }) => [
    `${where}: log index ${logIndex ?? "-"}`, `  commitment ${hex(commitment)}`, `  leaf hash  ${hex(leaf)}`]);
  const siblings = paths.length ? [`siblings of ${opened[0].where}:`, ...paths[0].map((hash) => `  ${hex(hash)}`)] : [];
  const partial = proofs.events_total > opened.length;
  if (tomb !== null) found.push(`destroyed by the entry at log index ${tomb}:`, `  ${proofs.tombstone.body}`);
  const sentence = proofs.shredded ? words.shredded : opened.length ? words.recorded : words.empty;
  settle(1, pending + late ? "waiting" : proofs.shredded || !opened.length ? "limited" : "good",
    [sentence, partial ? words.partial : "", pending ? words.pending : ""].map((text) => say(text, facts)).join(" "),
    [...found, ...siblings]);
  find("shredded").hidden = !proofs.shredded;
  const link = /^#k=([A-Za-z0-9_-]{43})$/.exec(location.hash);
  if (link && !proofs.shredded) {
    const raw = atob(`${link[1].replaceAll("-", "+").replaceAll("_", "/")}=`);
    showAddressee(opened, await openAddressee(proofs, Uint8Array.from(raw, (c) => c.charCodeAt(0))));
  }

  progress.step = 2;
  const seen = memory.recall();
  if (seen !== null && seen.origin !== head.origin) {
    throw new ProofFailed("origin", "the record", `was ${seen.origin} at an earlier visit, now ${head.origin}`);
  }
  const growth = await grew(seen, log), same = continued(own(seen?.parcels ?? {}, proofs.item_id), proofs, opened);
  const sizes = { from: number(growth.from ?? 0), to: number(growth.to) };
  const compared = growth.from === growth.to ? words.unchanged : words.grew;
  const before = seen ? [`then: ${seen.size} ${seen.root}`] : [];
  const reused = Object.entries(seen?.parcels ?? {}).some(
    ([item, [, , label]]) => label === proofs.number && item !== proofs.item_id);
  const known = same ? words.parcel_known : opened.length ? words.parcel_first : "";
  const parcel = say(reused ? words.reused : known, { number: number(same) });
  settle(2, seen && !reused ? "good" : "limited", [say(seen ? compared : words.first, sizes), parcel].join(" "),
    [head.origin, ...before, `now:  ${head.size} ${hex(head.root)}`, "", head.note.source]);

  progress.step = 3;
  const { needed, known: keys, by, size, covered } = await witnessed(proofs, opened, log);
  const seenBy = { count: number(by.length), known: number(keys), needed: number(needed), size: number(size ?? 0) };
  const older = by.length ? moment(Math.min(...by.map(({ time }) => time))) : "";
  const told = { ...seenBy, time: older, covered: number(covered), total: facts.total };
  const enough = needed > 0 && by.length >= needed;
  settle(3, enough ? (covered === opened.length ? "good" : "waiting") : "limited",
    say(enough ? (covered === opened.length ? words.witnessed : words.witnessed_older) : words.unwitnessed, told),
    by.map(({ name, key, time }) => `${name}  ${moment(time)}\n  public key ${key}`));
  const newest = opened.findLastIndex(({ logIndex }) => logIndex !== null && logIndex < head.size);
  const sequence = newest + 1 + proofs.events_total - opened.length;
  const last = newest < 0 ? null : [sequence, hex(opened[newest].commitment), proofs.number];
  memory.keep(head, seen, proofs.item_id, last);
  find("fallback").hidden = await browserChecks();
  return pending + late;
}

function failed(error, progress) {
  const code = error instanceof ProofFailed ? error.code : "broken", away = code === "unreachable" || code === "broken";
  const what = own(words.failed, code) ?? words.failed.other;
  settle(progress.step, away ? "unknown" : "bad", what, [error.message]);
  find("alert-title").textContent = away ? words.not_checked : words.alert;
  find("alert-what").textContent = what;
  find("alert-tell").hidden = away;
  find("alert-figures").textContent = error.message;
  find("alert").dataset.state = away ? "unknown" : "bad";
  find("forget").hidden = !(progress.mode === "test" && FORGIVABLE.includes(code) && progress.step === 2);
  find("forget").onclick = () => { memory.forget(); run(); };
  find("alert").hidden = false;
  find("alert").focus();
}
/** The three results in one breath, for those who do not see them change. */
const spoken = () => [1, 2, 3].map((step) => ["h2", "[data-result]"].map(
  (part) => find(`step-${step}`).querySelector(part).textContent).join(": ")).join(" ");
function offerToKeep(kept) {
  const proofs = kept.get(page.dataset.proofs), log = Object.create(null);
  if (!proofs) return;
  for (const [path, raw] of kept) {
    if (!path.startsWith("/log/")) continue;
    log[path.slice(5)] = path.includes("/tile/") ? btoa(String.fromCharCode(...raw)) : new TextDecoder().decode(raw);
  }
  // The answer is embedded as it came, byte for byte.
  const parts = ['{"object":"saved_proof","proofs":', proofs, `,"log":${JSON.stringify(log)}}\n`];
  URL.revokeObjectURL(find("keep").href);
  find("keep").href = URL.createObjectURL(new Blob(parts, { type: "application/json" }));
  find("keep").hidden = false;
}

let running = false;
async function run() {
  if (running) return;
  running = true;
  find("alert").hidden = true;
  find("said").textContent = "";
  page.dataset.state = "checking";
  let state = "failed";
  for (let attempt = 0; attempt <= RETRIES_MAX; attempt += 1) {
    const kept = new Map(), progress = { step: 1 };
    for (const step of [1, 2, 3]) settle(step, "checking", "", []);
    let pending = 0, error = null;
    try {
      if (attempt) await refreshRows();
      if (!globalThis.crypto?.subtle) throw new ProofFailed("browser", "this browser", "offers no cryptography here");
      pending = await check(kept, progress);
    } catch (caught) {
      error = caught;
    }
    offerToKeep(kept);
    const again = pending > 0 || (error?.code === "shown" && attempt < 2);
    state = error ? "failed" : pending ? "waiting" : "done";
    if (!again || attempt === RETRIES_MAX) {
      for (let step = progress.step + 1; error && step <= 3; step += 1) settle(step, "unknown", words.not_reached, []);
      if (error) failed(error, progress); // an alert, which is spoken by itself
      else find("said").textContent = spoken();
      break;
    }
    await new Promise((done) => { setTimeout(done, RETRY_MS); });
  }
  page.dataset.state = state; // last, so that whoever waits for it finds everything settled
  running = false;
}

find("without-script").hidden = true;
find("steps").hidden = false;
find("again").hidden = false;
find("again").onclick = run;
run();
