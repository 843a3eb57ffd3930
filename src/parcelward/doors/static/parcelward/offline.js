/* The program of verify.html: checks a saved proof or an evidence bundle from the reader's own disk, with verify.js and
 * no network. The rules are those of custody/offline.py and custody/evidence_check.py; tests run both on every forgery. */

import {
  ProofFailed, browserChecks, climb, ed25519, hex, join, openCheckpoint, openEvents, openLog, parseNote, parseVkey, parsed,
  recorded, same, sha256, signers, text, unbase64, unhex, utf8, witnessed,
} from "./verify.js";
import { CASE, describeCase, spell } from "./case.js";
import { readSuccessions, requireCurrent, trustThrough } from "./succession.js";

const FORMAT = "parcelward/v1/evidence", CHECKPOINT = "checkpoints/checkpoint.note", NAMES_MAX = 256;
const FIXED = [CHECKPOINT, "certification.txt", "chain.json", "policy.txt", "report.html", "verify.html"];
const ARCHIVE = ["checkpoints/archive.note", "checkpoints/archive.consistency", "checkpoints/archive.tsr"];
const MANIFEST = "absent,exporter,files,format,legal_basis,made_at,operator,reference,software,verifier_sha256";
const EVENT = "body_hash,commitment,event_id,groups,item_id,log_index";
const DEVICE = "batches,device_id,enrolled,key_id,public_key_ed25519";
const PATH = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*){0,3}$/;
const need = (holds, where, message) => { if (!holds) throw new ProofFailed("bundle", where, message); };

/** Read an archive in the one form of custody/stored_zip.py: stored, sorted, no extras; {path: bytes}. */
export function readArchive(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const files = new Map(), directory = [];
  const le = (n, size) => Array.from({ length: size }, (_, i) => Math.floor(n / 256 ** i) & 255);
  let at = 0, last = "";
  while (at + 30 <= data.length && view.getUint32(at, true) === 0x04034b50) {
    const size = view.getUint32(at + 22, true), start = at + 30 + view.getUint16(at + 26, true), end = start + size;
    const name = data.subarray(at + 30, start), path = String.fromCharCode(...name);
    const about = [10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, ...data.subarray(at + 14, at + 18), ...le(size, 4), ...le(size, 4),
      ...le(name.length, 2), 0, 0];
    need(PATH.test(path) && path.length <= 200 && path > last, "archive", "holds odd or disordered names");
    need(end <= data.length, "archive", "is cut short");
    need(same(data.subarray(at + 4, at + 30), about), "archive", `${path} is not plainly stored`);
    directory.push([0x50, 0x4b, 1, 2, 20, 3, ...about, 0, 0, 0, 0, 0, 0, 0, 0, 0xa4, 0x81, ...le(at, 4), ...name]);
    files.set(path, data.subarray(start, end));
    [at, last] = [end, path];
  }
  const listed = join(...directory), counted = le(files.size, 2);
  const ending = [0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...counted, ...counted, ...le(listed.length, 4), ...le(at, 4), 0, 0];
  need(files.size && same(data.subarray(at), join(listed, ending)), "archive", "is not in the form of a bundle");
  return files;
}
/** JSON in its one spelling (sorted keys, no spaces, no key twice) with exactly these fields, named in their order. */
function decode(bytes, where, fields) {
  const source = text(bytes, where);
  let value;
  try { value = JSON.parse(source); } catch { need(false, where, "is not JSON"); }
  need(value !== null && typeof value === "object" && spell(value) === source, where, "is not in its one spelling");
  only(value, where, fields);
  return value;
}
const only = (value, where, fields) => need(Object.keys(value).join() === fields, where, `has other fields than ${fields}`);
/** Whether `vkey` is one of those that the reader gave: the same name, type and key, for a name alone is anybody's. */
const among = (trusted, { key, name, type }) => trusted.some(
  (each) => each.name === name && each.type === type && same(each.key, key));
/** C2SP tlog-policy: {logs, witnesses: Map(name -> vkey), met(names)}. */
export async function parsePolicy(bytes) {
  const where = "policy.txt", lines = text(bytes, where).split("\n");
  const logs = [], witnesses = new Map(), groups = new Map();
  let quorum = null;
  for (const line of lines) {
    const [word, name, ...rest] = line.split(/[ \t]+/).filter((part) => part);
    const fresh = name !== "none" && !witnesses.has(name) && !groups.has(name);
    if (!word || word.startsWith("#")) continue;
    if (word === "log" && name && rest.length <= 1) logs.push(await parseVkey(name));
    else if (word === "witness" && fresh && (rest.length === 1 || rest.length === 2)) {
      witnesses.set(name, await parseVkey(rest[0]));
    } else if (word === "group" && fresh && rest.length >= 2) {
      const [count, ...members] = rest, used = [...groups.values()].flatMap((group) => group.members);
      const k = { any: 1, all: members.length }[count] ?? Number(/^[1-9]\d{0,3}$/.exec(count)?.[0]);
      const countable = (each) => (witnesses.has(each) || groups.has(each)) && !used.includes(each);
      need(k <= members.length && new Set(members).size === members.length && members.every(countable), where,
        `group ${name} is not well made`);
      groups.set(name, { k, members });
    } else {
      need(word === "quorum" && quorum === null && name && rest.length === 0 && !fresh, where,
        `a line is not understood: ${line.slice(0, 80)}`);
      quorum = name;
    }
  }
  const keys = [...witnesses.values()].map((vkey) => hex(vkey.key));
  need(quorum !== null && logs.length && witnesses.size + groups.size <= NAMES_MAX, where, "is not a policy");
  need(new Set(keys).size === keys.length && [...witnesses.values()].every((vkey) => vkey.type >= 4), where,
    "names a witness's key twice, or one of the wrong type");
  const saw = (name, present) => name === "none" || (groups.has(name)
    ? groups.get(name).members.filter((each) => saw(each, present)).length >= groups.get(name).k : present.has(name));
  return { logs, witnesses, met: (present) => saw(quorum, present) };
}
/** A tlog-proof of one entry: climb its path to the checkpoint's root, and use all of it. */
async function checkProof(bytes, event, leaf, entry, checkpoint, note, where) {
  const whole = text(bytes, where), cut = whole.indexOf("\n\n"), lines = whole.slice(0, cut).split("\n");
  need(cut > 0 && whole.slice(cut + 2) === note && lines[0] === "c2sp.org/tlog-proof@v1", where, "leads elsewhere");
  need(lines[1] === `extra ${btoa(String.fromCharCode(...entry))}` && lines[2] === `index ${event.log_index}`, where,
    "is of another entry");
  const path = lines.slice(3).map((line) => unbase64(line, where));
  const index = event.log_index;
  need(Number.isSafeInteger(index) && index >= 0 && index < checkpoint.size, where, "is beyond the log's end");
  const sibling = async () => {
    need(path.length && path[0].length === 32, where, "has too few hashes");
    return path.shift();
  };
  const root = await climb(leaf, index, 0, checkpoint.size, sibling);
  need(path.length === 0 && same(root, checkpoint.root), where, "does not lead to the checkpoint");
}
function missing(runs, first, last, where) {
  const out = new Set();
  let at = first - 1;
  for (const [start, end] of runs) {
    need(at < start && start <= end && end <= last && last <= 60000, where, "declares impossible gaps");
    for (let n = start; n <= end; n += 1) out.add(n);
    at = end + 1;
  }
  return out;
}
/** Check a whole bundle; `trusted` are vkeys that the reader knows from elsewhere, none to believe the bundle's own. */
export async function checkBundle(data, trusted) {
  const files = readArchive(data), manifest = decode(held(files, "manifest.json"), "manifest.json", MANIFEST);
  await checkManifest(files, manifest);
  const links = files.has("succession.json") ? await readSuccessions(files.get("succession.json")) : [];
  const { checkpoint, note, by } = await checkSigned(files, trustThrough(trusted, links));
  await requireCurrent(checkpoint, links);
  const chain = decode(held(files, "chain.json"), "chain.json", "devices,items"), events = [], gaps = [], opened = new Map();
  const shown = { signatures: 0, devices: 0, events: 0, named: 0 };
  const more = ["succession.json", ...ARCHIVE, CASE].filter((path) => files.has(path));
  need(!files.has(ARCHIVE[2]) || files.has(ARCHIVE[0]), ARCHIVE[2], "is of an archive checkpoint that is not there");
  const used = new Set([...FIXED, "manifest.json", "manifest.note", ...more]);
  const use = (path) => { need(!used.has(path), path, "is used twice"); used.add(path); return held(files, path); };
  for (const item of chain.items) {
    only(item, "chain.json", "events_total,item_id,missing,number");
    events.push(...await checkItem(item, use, checkpoint, note, opened));
    gaps.push(...item.missing.map(([a, b]) => `${item.item_id}: events ${a} to ${b}`));
  }
  for (const device of chain.devices) {
    only(device, "chain.json", "device_id,first,last,missing");
    await checkDevice(device, use, opened, shown, checkpoint, note);
    gaps.push(...device.missing.map(([a, b]) => `${device.device_id}: batches ${a} to ${b}`));
  }
  for (const path of files.keys()) need(used.has(path), path, "belongs to nothing that is declared");
  if (files.has(CASE)) {
    const whole = utf8(await describeCase(manifest, chain.items, checkpoint.origin));
    need(same(files.get(CASE), whole), CASE, "does not describe the bundle as manifest.json and chain.json do");
  }
  return { kind: "bundle", checkpoint, by, events, gaps, pending: 0, shown, reference: manifest.reference,
    archived: files.has(ARCHIVE[0]), timestamped: files.has(ARCHIVE[2]) };
}
function held(files, path) {
  need(files.has(path), path, "is missing");
  return files.get(path);
}
async function checkManifest(files, manifest) {
  const paths = new Set(["manifest.json", "manifest.note"]);
  need(manifest.format === FORMAT && Array.isArray(manifest.files), "manifest.json", "is of an unknown format");
  for (const row of manifest.files) {
    const { path, size, sha256: hash } = row;
    only(row, "manifest.json", "path,sha256,size");
    need(!paths.has(path), path, "is listed twice");
    const content = held(files, path);
    need(content.length === size && hex(await sha256(content)) === hash, path, "is not the file that was listed");
    paths.add(path);
  }
  for (const path of files.keys()) need(paths.has(path), path, "is not listed");
  for (const path of FIXED) held(files, path);
  need(hex(await sha256(held(files, "verify.html"))) === manifest.verifier_sha256, "verify.html", "is not the one named");
}
/** The manifest's note and the checkpoint, under the bundle's policy as far as the reader trusts its keys. */
async function checkSigned(files, trusted) {
  const policy = await parsePolicy(held(files, "policy.txt")), own = policy.logs.map(({ name }) => name);
  const strict = trusted.some(({ name, type }) => type >= 4 && !own.includes(name)); // a log's ML-DSA-44 key is no witness
  const logs = policy.logs.filter((vkey) => !trusted.length || among(trusted, vkey));
  need(logs.length, "policy.txt", "has no log key that you trust");
  const counted = [...policy.witnesses].filter(([, vkey]) => vkey.type === 4 && (!strict || among(trusted, vkey)));
  const signed = parseNote(held(files, "manifest.note")), hash = hex(await sha256(held(files, "manifest.json")));
  need(signed.text === `Parcelward evidence manifest v1\nsha256 ${hash}\n`, "manifest.note", "is of another manifest");
  need((await signers(signed, logs.filter(({ type }) => type === 1))).length, "manifest.note", "is not signed by the log");
  const note = text(held(files, CHECKPOINT), CHECKPOINT), checkpoint = await openCheckpoint(note, logs[0].name, logs);
  const by = await signers(checkpoint.note, counted.map(([, vkey]) => vkey));
  const seen = counted.filter(([, vkey]) => by.some(({ key }) => key === hex(vkey.key))).map(([name]) => name);
  need(policy.met(new Set(seen)), CHECKPOINT, "too few trusted witnesses signed it");
  return { checkpoint, note, by };
}
async function checkItem(item, use, checkpoint, note, opened) {
  const gone = missing(item.missing, 1, item.events_total, "chain.json"), events = [];
  let previous = "0".repeat(64);
  for (let sequence = 1; sequence <= item.events_total; sequence += 1) {
    if (gone.has(sequence)) { previous = null; continue; } // what stood before the next event is not here to compare
    const place = `${item.item_id}/${String(sequence).padStart(6, "0")}`, where = `events/${place}.json`;
    const event = decode(use(where), where, EVENT), { made, said } = await openEvent(event, where);
    const own = event.item_id === item.item_id && said.event === sequence;
    need(own && said.id === event.event_id.replaceAll("-", ""), where, "is of another item, or has another number");
    need(said.item && [item.number, item.item_id].includes(said.item), where, `was recorded of ${said.item}`);
    need(previous === null || said.previous === previous, where, "does not follow the event before it");
    const proof = `proofs/${place}.tlog-proof`, entry = join([1], made);
    await checkProof(use(proof), event, await sha256([0], entry), entry, checkpoint, note, proof);
    events.push({ ...said, number: item.number, log_index: event.log_index });
    opened.set(place, event);
    previous = event.commitment;
  }
  return events;
}
/** A device's key as the log's own entry enrolled it, and each request that it signed: custody/evidence_devices.py. */
async function checkDevice({ device_id: id, first, last, missing: runs }, use, opened, shown, checkpoint, note) {
  const where = `devices/${id}.json`, file = decode(use(where), where, DEVICE), gone = missing(runs, first, last, where);
  const numbers = file.batches.map(({ sequence }) => sequence), raw = unbase64(file.public_key_ed25519, where);
  need(file.device_id === id && numbers.length && numbers[0] === first && numbers.at(-1) === last, where,
    "is another device's, or begins or ends elsewhere");
  need(numbers.every((n, i) => !gone.has(n) && (i === 0 || numbers[i - 1] < n)), where, "is not in order");
  need(numbers.length + gone.size === last - first + 1, where, "has other gaps than declared");
  need(file.key_id === `dev-${hex(await sha256(raw)).slice(0, 20)}`, where, "names its key otherwise than the key");
  const source = await checkEnrolled(file, raw, use, checkpoint, note, where);
  for (const batch of file.batches) await checkBatch(batch, file.key_id, raw, source, opened, shown, where);
  shown.devices += 1;
}
async function checkEnrolled({ device_id: id, enrolled }, raw, use, checkpoint, note, where) {
  only(enrolled, where, "body,log_index,salt");
  const { kind, device, key, source } = parsed(enrolled.body, "bundle", where) ?? {};
  need(kind === "people.device_enrolled" && Number.isSafeInteger(source), where, "was not enrolled by this entry");
  need(`dev_${String(device).replaceAll("-", "")}` === id && key === hex(raw), where, "was enrolled with another key");
  const made = await sha256("parcelward/v1/event\0",
    await sha256("parcelward/v1/group\0", unhex(enrolled.salt, 32, where), utf8(enrolled.body)));
  const entry = join([1], made), proof = `proofs/${id}.tlog-proof`;
  await checkProof(use(proof), enrolled, await sha256([0], entry), entry, checkpoint, note, proof);
  return source;
}
async function checkBatch(batch, keyId, key, source, opened, shown, where) {
  only(batch, where, "body_sha256,events,sequence,signature,signature_base");
  const { sequence, signature_base: base } = batch, created = /;created=([1-9][0-9]{9,11});/.exec(base)?.[1];
  const digest = btoa(String.fromCharCode(...unhex(batch.body_sha256, 32, where)));
  need(base === `"@method": POST\n"@path": /api/v1/scans\n"content-digest": sha-256=:${digest}:\n`
    + `"device-sequence": ${sequence}\n"@signature-params": ("@method" "@path" "content-digest" "device-sequence");`
    + `created=${created};keyid="${keyId}";alg="ed25519"`, where, `batch ${sequence} does not say its number, hash and key`);
  need(await ed25519(key, unbase64(batch.signature, where), utf8(base)), where, `did not sign batch ${sequence}`);
  for (const place of batch.events) {
    need(opened.has(place), where, `names ${place}, which is not shown, or twice`);
    const { canon } = opened.get(place).groups.operations;
    opened.delete(place);
    if (canon !== undefined) {
      const said = parsed(canon, "bundle", where) ?? {};
      need(said.source === source && said.sequence === sequence, where, `${place} names another device or batch`);
      shown.named += 1;
    }
    shown.events += 1;
  }
  shown.signatures += 1;
}
/** What the devices' signatures show, in the words of `parcelward verify`. */
function deviceWords({ signatures, devices, events, named }, total) {
  if (!signatures) return "Devices: no signature of a device is in the bundle.";
  return `Devices: ${signatures} signature(s) by ${devices} device(s) that this log enrolled hold, over the requests that `
    + `recorded ${events} of ${total} event(s). ${named} of these events name device and request themselves; for the others `
    + "the operator says so. The requests' bodies are not kept.";
}
async function openEvent(event, where) {
  const names = ["public", "addressee", "operations", "restricted"];
  need(Object.keys(event.groups).length === 4 && typeof event.groups.public?.canon === "string", where, "lacks a group");
  const hashes = await Promise.all(names.map(async (name) => {
    const { canon, salt, hash, ...more } = event.groups[name] ?? {};
    const open = typeof canon === "string" && hash === undefined, closed = canon === undefined && salt === undefined;
    need(Object.keys(more).length === 0 && (open || closed), where, `has a bad group ${name}`);
    return open ? sha256("parcelward/v1/group\0", unhex(salt, 32, where), utf8(canon)) : unhex(hash, 32, where);
  }));
  const made = await sha256("parcelward/v1/event\0", ...hashes, unhex(event.body_hash, 32, where));
  need(hex(made) === event.commitment, where, "was changed after it was recorded");
  const corrects = event.groups.public.canon.includes(',"corrects":') ? "authorised,corrects," : "";
  const said = decode(utf8(event.groups.public.canon), where, `at,${corrects}event,id,item,place,previous,step`);
  const words = [said.at, said.item, said.place, said.step, ...(corrects ? [said.corrects] : [])];
  need(words.every((word) => typeof word === "string"), where, "says no words");
  need(!corrects || typeof said.authorised === "boolean", where, "does not say whether it may correct");
  return { made, said };
}
/** Check a saved proof page. */
export async function checkSaved(data, trusted) {
  let saved;
  try { saved = JSON.parse(text(data, "file")); } catch { need(false, "file", "is neither a bundle nor a saved proof"); }
  need(saved?.object === "saved_proof" && saved.proofs && saved.log, "file", "is neither a bundle nor a saved proof");
  const { proofs } = saved, opened = await openEvents(proofs), own = (path) => Object.hasOwn(saved.log, path);
  const get = async (path) => {
    if (!own(path)) return null;
    return path.startsWith("tile/") ? unbase64(saved.log[path], path) : utf8(saved.log[path]);
  };
  const log = await openLog(proofs, get);
  if (trusted.length) await openCheckpoint(log.head.note.source, proofs.origin, log.vkeys.filter((vkey) => among(trusted, vkey)));
  const { pending, closed } = await recorded(opened, log), { by, needed } = await witnessed(proofs, opened, log);
  need(closed === 0, "events", "nobody can open this history any more: its secret was destroyed");
  const strict = trusted.some(({ name, type }) => type >= 4 && name !== proofs.origin);
  const mine = log.witnesses.filter((vkey) => among(trusted, vkey));
  const counted = by.filter(({ key }) => !strict || mine.some((vkey) => hex(vkey.key) === key));
  need(counted.length >= needed, "witnessed checkpoint", "too few trusted witnesses signed it");
  const older = proofs.events_total - opened.length, left = older ? [`${proofs.item_id}: events 1 to ${older}`] : [];
  const events = opened.map(({ sequence, id, at, step, place, corrects, logIndex }) => ({
    event: sequence, id, at, step, place, corrects, number: proofs.number, log_index: logIndex }));
  return { kind: "saved proof", checkpoint: log.head, by: counted, events, gaps: left, pending, reference: proofs.number };
}
/** `chain` is what /log/succession answered, or nothing. */
export async function checkFile(data, keyLines, chain = null) {
  const lines = keyLines.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const links = chain ? await readSuccessions(chain) : [];
  const trusted = trustThrough(await Promise.all(lines.map(parseVkey)), links);
  const report = await (data[0] === 0x50 && data[1] === 0x4b ? checkBundle(data, trusted) : checkSaved(data, trusted));
  await requireCurrent(report.checkpoint, links);
  return report;
}

function show(report, pinned, own) {
  const heads = ["Item", "No.", "Time (UTC)", "Step", "Place", "Log index"];
  const row = (cells, kind) => {
    const line = document.createElement("tr");
    line.append(...cells.map((cell, i) => {
      const box = Object.assign(document.createElement(kind), { textContent: cell ?? "" });
      box.dataset.name = heads[i]; // shown beside it where the page is narrow
      return box;
    }));
    return line;
  };
  const total = report.events.length;
  const facts = [`${total - report.pending} of ${total} events recomputed and found in the log.`,
    `Log ${report.checkpoint.origin}, ${report.checkpoint.size} entries, root ${hex(report.checkpoint.root)}.`,
    `Witnesses: ${report.by.map(({ name }) => name).join(", ") || "none"}.`,
    ...(report.shown ? [deviceWords(report.shown, total)] : []),
    ...report.gaps.map((gap) => `Left out, and declared: ${gap}.`),
    ...(report.archived ? ["It also holds an archive checkpoint. This page cannot check ML-DSA-44: parcelward verify can."]
      : []),
    ...(report.timestamped ? ["Nor the authority's timestamp of it: parcelward verify --tsa-root can."] : []),
    pinned ? "The keys are among those that you gave." : "The keys came with the file: compare them with published ones.",
    ...(own ? [] : ["This browser cannot check Ed25519 signatures itself: the lines for it in this file did."])];
  document.getElementById("facts").replaceChildren(...facts.map(
    (fact) => Object.assign(document.createElement("li"), { textContent: fact })));
  const of = (id) => report.events.find((e) => e.id === id)?.event ?? `${id}, which is not here`;
  const step = (e) => (e.corrects === undefined ? e.step : `${e.step} (corrects no. ${of(e.corrects)})`);
  document.getElementById("events").replaceChildren(row(heads, "th"),
    ...report.events.map((e) => row([e.number, e.event, e.at, step(e), e.place, e.log_index ?? "not yet"], "td")));
}
function start(file, keys, chain) {
  const result = document.getElementById("result"), found = document.getElementById("found");
  const say = (state, words) => { result.dataset.state = state; result.textContent = words; };
  const clear = () => { found.hidden = true; say("", ""); };
  const bytes = async ([one]) => (one ? new Uint8Array(await one.arrayBuffer()) : null);
  const check = async () => {
    clear();
    if (!file.files.length) return;
    say("", "Checking");
    try {
      const report = await checkFile(await bytes(file.files), keys.value, await bytes(chain.files));
      show(report, keys.value.trim() !== "", await browserChecks());
      found.hidden = false;
      const holds = report.pending ? "Holds, but is not complete yet" : "Everything holds";
      say(report.pending ? "waiting" : "good", `${holds}: ${report.kind} ${report.reference}`);
    } catch (error) {
      say("bad", `This does not hold. ${error.message}`);
    }
  };
  file.addEventListener("change", check);
  keys.addEventListener("change", check);
  chain.addEventListener("change", check);
  // A file that was changed meanwhile and is chosen again is a new one, and no old result may stand beside it.
  file.addEventListener("click", () => { file.value = ""; clear(); });
}
const chosen = globalThis.document?.getElementById("file");
if (chosen) start(chosen, document.getElementById("keys"), document.getElementById("chain"));
