/* What this browser keeps as a device, in one IndexedDB store: its own key pair, which no script can read out, and the keys
 * lent to it. The page that enrols a device writes `device`; the courier's page reads it and keeps `loan:...` and `clock`. */

let opening;
const opened = () =>
  (opening ??= new Promise((done, fail) => {
    const ask = indexedDB.open("parcelward-device", 1);
    ask.onupgradeneeded = () => ask.result.createObjectStore("keys");
    ask.onsuccess = () => done(ask.result);
    ask.onerror = () => fail(ask.error);
  }));
async function turn(mode, work) {
  const db = await opened();
  return new Promise((done, fail) => {
    const turn = db.transaction("keys", mode), ask = work(turn.objectStore("keys"));
    turn.oncomplete = () => done(ask.result);
    turn.onerror = turn.onabort = () => fail(turn.error);
  });
}
export const read = (name) => turn("readonly", (store) => store.get(name));
export const write = (name, value) => turn("readwrite", (store) => store.put(value, name));
export const remove = (name) => turn("readwrite", (store) => store.delete(name));
/** All that is kept under names that begin with this word and a colon. */
export const all = (word) =>
  turn("readonly", (store) => store.getAll(IDBKeyRange.bound(`${word}:`, `${word};`, false, true)));

/** A fresh Ed25519 pair whose private half cannot leave this browser. */
export const makePair = () => crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);

/** The pair that this device signs with: the one it enrolled itself with, or else one that the office can enrol by hand. */
export async function signingPair() {
  const pair = (await read("device"))?.pair ?? (await read("by-hand")) ?? (await makePair());
  if (!(await read("device"))) await write("by-hand", pair);
  return { privateKey: pair.privateKey, public: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
}
