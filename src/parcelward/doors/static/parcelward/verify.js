/* Parcelward's verifier: all that a proof rests on is in this one file. It checks one item's history against the
 * operator's public log, in a browser or in Node, with nothing but WebCrypto, and believes nothing that it has not
 * recomputed: what does not fit throws a ProofFailed that names it. Formats: docs/test-vectors/ (commitments), RFC 6962
 * section 2.1 (tree), C2SP tlog-tiles, tlog-checkpoint, signed-note and tlog-cosignature. Where a browser itself has no
 * Ed25519, ed25519.js is fetched, and the page says so. */

const NOTE_BYTES_MAX = 1000000, SIGNATURES_MAX = 64, EVENTS_MAX = 1000, TILE_WIDTH = 256;
const GROUPS = ["public", "addressee", "operations", "restricted"];
const EVENT_DOMAIN = "parcelward/v1/event\0", GROUP_DOMAIN = "parcelward/v1/group\0", NO_EVENT = "0".repeat(64);

/** `code` is stable and translatable, `where` names the thing that failed, the message carries the figures. */
export class ProofFailed extends Error {
  constructor(code, where, message) {
    super(`${where}: ${message}`);
    Object.assign(this, { name: "ProofFailed", code, where });
  }
}
const must = (holds, code, where, message) => { if (!holds) throw new ProofFailed(code, where, message); };

// ---- bytes ------------------------------------------------------------------------------------------------------
export const utf8 = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
export const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
export const node = (left, right) => sha256([1], left, right);

export function text(bytes, where) {
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); } catch {
    throw new ProofFailed("malformed", where, "not UTF-8");
  }
}
export function join(...parts) {
  const all = parts.map((part) => (typeof part === "string" ? utf8(part) : part));
  const out = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  all.reduce((at, part) => { out.set(part, at); return at + part.length; }, 0);
  return out;
}
export function unhex(value, length, where) {
  must(typeof value === "string" && value.length === 2 * length && /^[0-9a-f]*$/.test(value), "malformed", where,
    `not ${length} bytes in lower-case hex`);
  return Uint8Array.from({ length }, (_, i) => parseInt(value.slice(2 * i, 2 * i + 2), 16));
}
/** Strict RFC 4648 section 4: padded, no spaces, and the one spelling that encodes these bytes. */
export function unbase64(value, where) {
  const spelt = typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
  must(spelt && btoa(atob(value)) === value, "malformed", where, "not canonical base64");
  return Uint8Array.from(atob(value), (c) => c.charCodeAt(0));
}
export function parsed(source, code, where) {
  try { return JSON.parse(source); } catch { throw new ProofFailed(code, where, "not JSON"); }
}
const ed25519Key = (raw) => crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
const BASE_POINT = Uint8Array.from({ length: 32 }, (_, i) => (i ? 0x66 : 0x58)); // the curve's own: surely a key
let own; // asked once
export const browserChecks = () => own ??= ed25519Key(BASE_POINT).then(() => true, () => false);
export async function ed25519(key, signature, message) {
  if (signature.length !== 64) return false;
  if (!await browserChecks()) return (await import("./ed25519.js")).ed25519InScript(key, signature, message);
  const verifies = (imported) => crypto.subtle.verify("Ed25519", imported, signature, message);
  return ed25519Key(key).then(verifies, () => false); // bytes that are no key sign nothing
}

// ---- signed notes, verifier keys, checkpoints ---------------------------------------------------------------------
export async function parseVkey(line) {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(line);
  must(parts, "malformed", "verifier key", `cannot be read: ${String(line).slice(0, 80)}`);
  const raw = unbase64(parts[3], "verifier key"), [name, id] = [parts[1], parts[2]], type = raw[0];
  must(hex((await sha256(name, "\n", raw)).subarray(0, 4)) === id, "malformed", `verifier key ${name}`, "wrong key ID");
  must((type !== 1 && type !== 4) || raw.length === 33, "malformed", `verifier key ${name}`, "wrong length");
  return { name, id, type, key: raw.subarray(1) };
}
export function parseNote(source) {
  must(source.length <= NOTE_BYTES_MAX, "malformed", "note", "too long");
  const whole = typeof source === "string" ? source : text(source, "note"), end = whole.lastIndexOf("\n\n");
  // eslint-disable-next-line no-control-regex -- the format forbids control characters by name
  must(!/[\u0000-\u0009\u000b-\u001f]/.test(whole) && end > 0 && whole.endsWith("\n"), "malformed", "note",
    "not a signed note");
  const lines = whole.slice(end + 2, -1).split("\n");
  must(lines.length <= SIGNATURES_MAX, "malformed", "note", "too many signatures");
  const signatures = lines.map((line) => {
    const parts = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line);
    must(parts, "malformed", "note", "a signature line cannot be read");
    const raw = unbase64(parts[2], "signature line");
    must(raw.length > 4, "malformed", "note", "a signature is too short");
    return { name: parts[1], id: hex(raw.subarray(0, 4)), signature: raw.subarray(4) };
  });
  return { text: whole.slice(0, end + 1), signatures, source: whole };
}
/** Return [{name, key, time}] of those of `vkeys` that signed; a bad signature of a known key condemns the note. */
export async function signers(note, vkeys) {
  const found = new Map();
  for (const { name, id, signature } of note.signatures) {
    const vkey = vkeys.find((known) => known.name === name && known.id === id);
    if (!vkey) continue; // unknown keys are ignored, as signed-note demands
    let [message, raw, time] = [note.text, signature, null];
    if (vkey.type === 4) { // cosignature/v1: a big-endian u64 of POSIX seconds stands before the signature
      must(signature.length === 72 && signature[0] < 128, "signature", `cosignature of ${name}`, "wrong form");
      time = signature.subarray(0, 8).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      [message, raw] = [`cosignature/v1\ntime ${time}\n${note.text}`, signature.subarray(8)];
    }
    must(await ed25519(vkey.key, raw, utf8(message)), "signature", `signature of ${name}`, "does not fit this text");
    const key = hex(vkey.key); // one key, one voice
    found.set(key, { name, key, time: time === null ? null : Number(time) });
  }
  return [...found.values()];
}
/** Parse a signed note as a checkpoint of `origin` and check the log's own signature. */
export async function openCheckpoint(source, origin, vkeys) {
  const note = parseNote(source), lines = note.text.slice(0, -1).split("\n"), size = Number(lines[1]);
  must(lines.length >= 3 && lines.every((line) => line), "malformed", "checkpoint", "not three or more full lines");
  must(lines[0] === origin, "origin", "checkpoint", `is of ${lines[0]}, not of ${origin}`);
  must(/^(0|[1-9][0-9]*)$/.test(lines[1]) && Number.isSafeInteger(size), "malformed", "checkpoint", "bad tree size");
  const root = unbase64(lines[2], "checkpoint root");
  must(root.length === 32 && (size > 0 || same(root, await sha256())), "malformed", "checkpoint", "bad root");
  const own = vkeys.filter((vkey) => vkey.type === 1 && vkey.name === origin);
  must((await signers(note, own)).length > 0, "signature", "checkpoint", "carries no signature by the log's key");
  return { origin, size, root, note };
}

// ---- the tree (RFC 6962 section 2.1), read from tiles ---------------------------------------------------------------
const split = (n) => { let k = 1; while (2 * k < n) k *= 2; return k; }; // the largest power of two below n
/** Climb from `hash`, the leaf at `index`, to the root of D[lo:hi]; `sibling(lo, hi)` gives what is not on the way. */
export async function climb(hash, index, lo, hi, sibling) {
  if (hi - lo === 1) return hash;
  const middle = lo + split(hi - lo), left = index < middle;
  const below = await climb(hash, index, left ? lo : middle, left ? middle : hi, sibling);
  return left ? node(below, await sibling(middle, hi)) : node(await sibling(lo, middle), below);
}
export function tilePath(level, n, width) {
  const groups = String(n).padStart(Math.ceil(String(n).length / 3) * 3, "0").match(/.../g);
  const index = groups.map((g, i) => (i < groups.length - 1 ? `x${g}` : g)).join("/");
  return `tile/${level}/${index}${width < TILE_WIDTH ? `.p/${width}` : ""}`;
}
/** The tree of `size` leaves behind tiles; `get(path)` resolves to bytes, or to null where there is no such tile. */
export class Tiles {
  constructor(size, get) { Object.assign(this, { size, get, tiles: new Map(), nodes: new Map() }); }
  tile(level, n) {
    const key = `${level}/${n}`;
    if (!this.tiles.has(key)) this.tiles.set(key, this.load(level, n));
    return this.tiles.get(key);
  }
  async load(level, n) {
    const width = Math.min(TILE_WIDTH, Math.floor(this.size / TILE_WIDTH ** level) - n * TILE_WIDTH);
    const path = tilePath(level, n, width);
    let raw = await this.get(path), expected = width;
    if (!raw && width < TILE_WIDTH) [raw, expected] = [await this.get(tilePath(level, n, TILE_WIDTH)), TILE_WIDTH];
    must(raw && raw.length === 32 * expected, "tile", path, "is missing or has the wrong length");
    return raw;
  }
  /** The hash of the complete subtree of 2**height leaves that stands at `index` among its equals. */
  async complete(height, index) {
    const key = `${height}/${index}`, at = 32 * (index % TILE_WIDTH);
    if (this.nodes.has(key)) return this.nodes.get(key);
    const hash = height % 8 // only every eighth level is stored; those between are folded from the one below
      ? await node(await this.complete(height - 1, 2 * index), await this.complete(height - 1, 2 * index + 1))
      : (await this.tile(height / 8, Math.floor(index / TILE_WIDTH))).subarray(at, at + 32);
    this.nodes.set(key, hash);
    return hash;
  }
  async range(lo, hi) { // MTH(D[lo:hi]) for the ranges that RFC 6962 splits a tree into
    const n = hi - lo, k = split(n);
    if (n === 1 || (2 * k === n && lo % n === 0)) return this.complete(Math.log2(n), lo / n);
    return node(await this.range(lo, lo + k), await this.range(lo + k, hi));
  }
  /** Prove `leaf` at `index` under `root`; return the siblings, leaf side first. */
  async include(leaf, index, root, where) {
    const path = [];
    const sibling = async (lo, hi) => path[path.push(await this.range(lo, hi)) - 1];
    must(index < this.size, "inclusion", where, `place ${index} is beyond the log's end`);
    const found = await climb(leaf, index, 0, this.size, sibling);
    must(same(found, root), "inclusion", where, `is not in the log at place ${index}`);
    return path;
  }
  /** Prove that the tree of `size` leaves under `oldRoot` is the beginning of the one under `root` (section 2.1.2). */
  async grewFrom(size, oldRoot, root, where) {
    const both = async (lo, hi) => {
      if (size >= hi) return Array(2).fill(await this.range(lo, hi));
      const middle = lo + split(hi - lo);
      const [older, newer] = size <= middle ? await both(lo, middle) : await both(middle, hi);
      if (size <= middle) return [older, await node(newer, await this.range(middle, hi))];
      const left = await this.range(lo, middle);
      return [await node(left, older), await node(left, newer)];
    };
    must(size <= this.size, "shrunk", where, `the log had ${size} entries and now shows ${this.size}`);
    const [older, newer] = size === 0 ? [oldRoot, root] : await both(0, this.size);
    must(same(older, oldRoot) && same(newer, root), "forked", where, `the first ${size} entries have changed`);
  }
}

// ---- one item's events --------------------------------------------------------------------------------------------
export const groupHash = (salt, canon) => sha256(GROUP_DOMAIN, salt, canon);
export const idOf = (event, where) => unhex(String(event.event_id).replaceAll("-", ""), 16, where);
/** Recompute each commitment and the chain 1..n; return [{sequence, id, at, step, place, commitment, logIndex}], and of
 * a correction the id that it `corrects` and whether its actor is `authorised` to correct anybody's events. */
export async function openEvents(proofs) {
  must(Array.isArray(proofs.events) && proofs.events.length <= EVENTS_MAX, "malformed", "proofs", "no list of events");
  const opened = [], older = proofs.events_total - proofs.events.length;
  // Only a full answer may begin in the middle of an item's history: then the event before its first is not known.
  const partial = older > 0 && proofs.events.length === EVENTS_MAX;
  must(Number.isSafeInteger(proofs.events_total) && (older === 0 || partial), "chain", "proofs",
    `${proofs.events.length} events of ${proofs.events_total}`);
  let previous = older ? null : NO_EVENT;
  for (const [i, event] of proofs.events.entries()) {
    const where = `event ${older + i + 1}`, logIndex = event?.log_index;
    must(logIndex === null || (Number.isSafeInteger(logIndex) && logIndex >= 0), "malformed", where, "bad log index");
    const closed = proofs.shredded === true, unplaced = closed && event.commitment === null;
    const commitment = unplaced ? null : unhex(event.commitment, 32, where);
    const leaf = unplaced ? null : await sha256([0, 1], commitment);
    if (closed) { // nobody can open it, so only its place in the log can be checked
      opened.push({ where, closed, commitment, leaf, logIndex });
      continue;
    }
    const { canon, salt } = event.public ?? {}, id = hex(idOf(event, where));
    must(typeof canon === "string", "malformed", where, "its public part is missing");
    const said = parsed(canon, "malformed", where) ?? {};
    const { at, authorised, corrects, event: sequence, item, place, step } = said;
    const worded = [at, item, place, step].every((word) => typeof word === "string");
    previous ??= hex(unhex(said.previous, 32, where)); // of the first event shown, when there are older ones
    const again = { at, authorised, corrects, event: sequence, id, item, place, previous, step };
    const whole = typeof corrects === "string" ? typeof authorised === "boolean" : corrects === authorised;
    const exact = JSON.stringify(again) === canon && worded && whole;
    must(exact && sequence === older + i + 1, "chain", where, `does not go on as event ${older + i + 1}`);
    must(item && [proofs.number, proofs.item_id].includes(item), "chain", where, `was recorded of ${item}`);
    const groups = [await groupHash(unhex(salt, 32, where), utf8(canon)),
      ...GROUPS.slice(1).map((name) => unhex(event.groups?.[name], 32, where))];
    const made = await sha256(EVENT_DOMAIN, ...groups, unhex(event.body_hash, 32, where));
    must(same(made, commitment), "commitment", where, "its content does not give its commitment");
    opened.push({ where, sequence, id, at, step, place, authorised, corrects, commitment, leaf, logIndex });
    previous = event.commitment;
  }
  return opened;
}

// ---- the three steps ------------------------------------------------------------------------------------------------
/** Open the log: the witnessed checkpoint is fetched first, so that an honest one is never newer than the newest. */
export async function openLog(proofs, get) {
  const [vkeys, witnesses] = await Promise.all([proofs.vkeys, proofs.witness_vkeys].map((list) => {
    must(Array.isArray(list), "malformed", "proofs", "no list of keys");
    return Promise.all(list.map(parseVkey));
  }));
  const watched = witnesses.length ? await get("checkpoint/witnessed") : null, newest = await get("checkpoint");
  must(newest, "unreachable", "checkpoint", "the log does not answer");
  const head = await openCheckpoint(newest, proofs.origin, vkeys);
  return { head, vkeys, witnesses, watched, tiles: new Tiles(head.size, get) };
}
/** Step 1: each event stands in the log or is `pending` (the newest checkpoint does not cover it yet); of those that
 * are `closed`, that is all that can be said. */
export async function recorded(opened, { head, tiles }) {
  const closed = opened.filter((event) => event.closed).length;
  const covered = opened.filter(({ leaf, logIndex }) => leaf && logIndex !== null && logIndex < head.size);
  const paths = await Promise.all(covered.map(
    ({ leaf, logIndex, where }) => tiles.include(leaf, logIndex, head.root, where)));
  return { proven: covered.length, pending: opened.length - covered.length, closed, paths };
}
/** Step 2: the log still begins with what this browser saw before; `seen` is {size, root in hex}, null at first. */
export async function grew(seen, { head, tiles }) {
  if (seen) await tiles.grewFrom(seen.size, unhex(seen.root, 32, "remembered root"), head.root, "the log");
  return { from: seen ? seen.size : null, to: head.size };
}
/** Step 2, of the parcel: what this browser saw of it, [its newest event's number, that commitment], still stands: a
 * log that only grew may hold a second history. Return how many entries that covers, 0 for nothing to compare. */
export function continued([sequence, commitment] = [0, ""], proofs, opened) {
  const at = sequence - 1 - (proofs.events_total - opened.length);
  if (!sequence || at < 0) return 0;
  const now = hex(opened[at]?.commitment ?? []);
  must(now === commitment, "rewritten", `event ${sequence}`,
    `was ${commitment} at an earlier visit and is now ${now || "not there"}`);
  return sequence;
}
/** Step 3: at least `needed` independent witnesses signed a checkpoint that today's log continues. */
export async function witnessed(proofs, opened, { head, vkeys, witnesses, watched, tiles }) {
  const keys = witnesses.filter((vkey) => vkey.type === 4), needed = proofs.witness_quorum;
  const known = new Set(keys.map((vkey) => hex(vkey.key))).size;
  must(Number.isInteger(needed) && needed >= 0 && needed <= known, "malformed", "quorum", `${needed} of ${known}`);
  if (!watched && needed === 0) return { needed, known, by: [], size: null, covered: 0 };
  must(watched, "witness", "witnessed checkpoint", "is not there");
  const seen = await openCheckpoint(watched, proofs.origin, vkeys), by = await signers(seen.note, keys);
  must(by.length >= needed, "witness", "witnessed checkpoint", `${by.length} of ${needed} witnesses signed it`);
  await tiles.grewFrom(seen.size, seen.root, head.root, "the log since the witnesses saw it");
  const covered = opened.filter(({ logIndex }) => logIndex !== null && logIndex < seen.size).length;
  return { needed, known, by, size: seen.size, covered };
}
/** That a secret was destroyed is an entry in the record: without it, "destroyed" would be a way to hide a history.
 * Return its place, or null while the newest checkpoint does not cover it yet. */
export async function entombed({ tombstone, item_id: itemId, events_total: total }, { head, tiles }) {
  const where = "the entry of destruction", index = tombstone?.log_index;
  must(typeof tombstone?.body === "string", "tombstone", where, "is not there");
  const said = parsed(tombstone.body, "tombstone", where);
  const item = `itm_${String(said?.item).replaceAll("-", "")}`;
  must(said?.kind === "custody.tombstone" && item === itemId, "tombstone", where, "is of something else");
  must(said.events === total, "tombstone", where, `is of ${said.events} entries, and there are ${total}`);
  const group = await groupHash(unhex(tombstone.salt, 32, where), utf8(tombstone.body));
  if (!Number.isSafeInteger(index) || index >= head.size) return null;
  await tiles.include(await sha256([0, 1], await sha256(EVENT_DOMAIN, group)), index, head.root, where);
  return index;
}
