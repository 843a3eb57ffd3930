/* Sealed labels in the browser: take one apart, open a lent key, open the courier's part. No network, no page: label-page.js
 * shows it. Formats: docs/sealed-labels.md, with vectors. HPKE is RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-256-GCM, one message a key. */

const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const HEAD = 13, MARK = 4, HUB = 60, OFFICE = 80, COURIER = [140, 230], CODE = 8, ITEM_MAX = 20; // bytes
const COURIER_HOP = 3, KEY = 32, SUITE_KEM = [0x00, 0x20], SUITE = [0x00, 0x20, 0x00, 0x01, 0x00, 0x02];
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]; // X25519 private key: RFC 8410
const subtle = globalThis.crypto.subtle;

/** What is refused, by name: `code` chooses the words, `facts` fill them in. */
export class LabelRefused extends Error {
  constructor(code, facts = {}) {
    super(code);
    this.code = code;
    this.facts = facts;
  }
}

const ascii = (text) => new TextEncoder().encode(text);
const joined = (...parts) => {
  const all = parts.map((part) => (typeof part === "string" ? ascii(part) : Uint8Array.from(part)));
  const out = new Uint8Array(all.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of all) { out.set(part, at); at += part.length; }
  return out;
};
const numbered = (value, size) => {
  const out = new Uint8Array(size);
  for (let at = size - 1, left = BigInt(value); at >= 0; at--, left >>= 8n) out[at] = Number(left & 255n);
  return out;
};
export const same = (a, b) => a.length === b.length && a.every((value, at) => value === b[at]);
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const unbase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const uuid = (text) => Uint8Array.from(text.replaceAll("-", "").match(/../g), (pair) => parseInt(pair, 16));

function unbase45(text) {
  const values = Array.from(text, (letter) => BASE45.indexOf(letter)), out = [];
  if (values.includes(-1) || values.length % 3 === 1) throw new LabelRefused("no_label");
  for (let at = 0; at < values.length; at += 3) {
    const group = values.slice(at, at + 3), size = group.length - 1;
    const number = group.reduce((sum, value, power) => sum + value * 45 ** power, 0);
    if (number >= 256 ** size) throw new LabelRefused("no_label");
    out.push(...numbered(number, size));
  }
  return Uint8Array.from(out);
}

/** The bytes of what a scanner typed (Base45) or somebody pasted (base64url). */
export function bytesOf(text) {
  const said = text.replace(/[\r\n\t]/g, "");
  if (/^[0-9A-Z $%*+./:-]+$/.test(said)) return unbase45(said);
  if (!/^[A-Za-z0-9_-]+$/.test(said)) throw new LabelRefused("no_label");
  try { return unbase64url(said); } catch { throw new LabelRefused("no_label"); }
}

/** A label taken apart: well formed, not proven to be ours. */
export function parse(raw) {
  if (raw.length < HEAD || raw[0] !== 0x50 || raw[1] !== 1) throw new LabelRefused("no_label");
  const length = raw[HEAD - 1], start = HEAD + length, item = String.fromCharCode(...raw.subarray(HEAD, start));
  const size = raw.length - start - HUB - OFFICE - CODE;
  if (length < 1 || length > ITEM_MAX || !/^[A-Z0-9]+$/.test(item) || !COURIER.includes(size)) {
    throw new LabelRefused("cut_label");
  }
  const part = raw.subarray(start + HUB + OFFICE, start + HUB + OFFICE + size);
  return { item, epoch: raw[2] * 256 + raw[3], mark: raw.slice(4 + MARK, 4 + 2 * MARK), public: raw.slice(0, start), part };
}

/** An item's number as labels carry it. */
export const itemNumber = (text) => text.replace(/\s/g, "").toUpperCase();

/** A week as people write it: 2026-W48. Epoch 0 is 2020-W01. */
export function week(epoch) {
  const thursday = new Date(Date.UTC(2020, 0, 2) + epoch * 7 * 864e5), year = thursday.getUTCFullYear();
  return `${year}-W${String(1 + Math.floor((thursday - Date.UTC(year, 0, 1)) / 6048e5)).padStart(2, "0")}`;
}

// An empty HMAC key is what HKDF begins with; 32 zero bytes are the same key (RFC 2104) and WebCrypto takes them.
async function extract(salt, material) {
  const key = await subtle.importKey("raw", salt.length ? salt : new Uint8Array(KEY), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", key, material));
}
const labelled = (salt, suite, label, material) => extract(salt, joined("HPKE-v1", suite, label, material));
const expanded = async (prk, suite, label, info, size) =>
  (await extract(prk, joined(numbered(size, 2), "HPKE-v1", suite, label, info, [1]))).slice(0, size); // at most one round

/** Open one HPKE message with a private key that scripts cannot read. `code` says what it means when it does not open. */
export async function openMessage(privateKey, publicKey, message, info, code) {
  const enc = message.slice(0, KEY), none = new Uint8Array(0);
  const kem = joined("KEM", SUITE_KEM), suite = joined("HPKE", SUITE);
  try {
    const theirs = await subtle.importKey("raw", enc, { name: "X25519" }, false, []);
    const dh = new Uint8Array(await subtle.deriveBits({ name: "X25519", public: theirs }, privateKey, 256));
    const eae = await labelled(none, kem, "eae_prk", dh);
    const shared = await expanded(eae, kem, "shared_secret", joined(enc, publicKey), KEY);
    const hashes = [await labelled(none, suite, "psk_id_hash", none), await labelled(none, suite, "info_hash", info)];
    const context = joined([0], ...hashes), secret = await labelled(shared, suite, "secret", none);
    const raw = await expanded(secret, suite, "key", context, KEY);
    const iv = await expanded(secret, suite, "base_nonce", context, 12);
    const key = await subtle.importKey("raw", raw, { name: "AES-GCM" }, false, ["decrypt"]);
    return new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv }, key, message.slice(KEY)));
  } catch {
    throw new LabelRefused(code);
  }
}

/** What the device signs: to which one-time key loans may be sealed, and when. */
export const readerStatement = (readerPublic, atMs) => joined("parcelward/reader/v1\0", readerPublic, numbered(atMs, 8));

/** A fresh X25519 pair that lives for one question. */
export async function oneTimePair() {
  const pair = await subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  return { privateKey: pair.privateKey, public: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)) };
}

/** Open a lent key; what is kept can open labels and cannot be read out again. */
export async function openLoan(handed, reader) {
  const facility = ascii(handed.facility);
  const info = joined(
    "parcelward/loan/v1\0", uuid(handed.loan), uuid(handed.device), numbered(handed.epoch, 2),
    numbered(handed.expires_at, 8), [facility.length], facility,
  );
  const raw = await openMessage(reader.privateKey, reader.public, unbase64url(handed.sealed), info, "not_this_device");
  const privateKey = await subtle.importKey("pkcs8", joined(PKCS8, raw), { name: "X25519" }, false, ["deriveBits"]);
  raw.fill(0);
  const publicKey = unbase64url(handed.public);
  const mark = new Uint8Array(await subtle.digest("SHA-256", joined("parcelward/station-key/v1\0", publicKey))).slice(0, MARK);
  const { loan, facility: place, epoch, round, expires_at: expiresAt } = handed;
  return { loan, facility: place, epoch, round, expiresAt, mark, publicKey, privateKey };
}

/** Open the courier's part of the label on the item in hand, with the keys held; `nowS` is the time in seconds.
 * Throws LabelRefused: other_item, other_office, loan_over, changed. */
export async function openCourier(label, item, loans, nowS) {
  if (label.item !== itemNumber(item)) throw new LabelRefused("other_item", { label: label.item });
  const fitting = loans.filter((loan) => same(loan.mark, label.mark) && loan.epoch === label.epoch);
  if (!fitting.length) throw new LabelRefused("other_office", { week: week(label.epoch) });
  const running = fitting.find((loan) => loan.privateKey && nowS < loan.expiresAt);
  if (!running) throw new LabelRefused("loan_over", { week: week(label.epoch) });
  const info = joined("parcelward/label/v1\0", [COURIER_HOP], label.public);
  const plain = await openMessage(running.privateKey, running.publicKey, label.part, info, "changed");
  let end = plain.length;
  while (end && plain[end - 1] === 0) end--;
  const [name, note, ...lines] = new TextDecoder().decode(plain.subarray(0, end)).split("\x1f");
  return { name, note: note ?? "", lines };
}
