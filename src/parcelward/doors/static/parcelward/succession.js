/* How one signing key of the log follows another, checked offline; the rules are those of custody/succession.py. Both
 * keys sign a succession and it is an entry of the log: from there on, no checkpoint counts that the new key did not sign. */

import {
  ProofFailed, climb, openCheckpoint, parseNote, parseVkey, same, sha256, signers, text, unbase64, unhex, utf8,
} from "./verify.js";

const CHAIN = "succession.json", PROOF = "c2sp.org/tlog-proof@v1", TIME = "(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ)";
const NOTE = new RegExp(`^([^\n]+)/succession\nnumber ([1-9]\\d{0,3})\nfrom (\\S+)\nto (\\S+)\nsince ${TIME}\nuntil ${TIME}\n$`);
const insist = (holds, message) => { if (!holds) throw new ProofFailed("succession", CHAIN, message); };
const alike = (a, b) => a.name === b.name && a.type === b.type && same(a.key, b.key);

function parse(source) {
  try { return JSON.parse(source); } catch { throw new ProofFailed("succession", CHAIN, "is not JSON"); }
}
/** What a succession's note says, once both of its keys signed it. */
async function openSuccession(source) {
  const note = parseNote(source), found = NOTE.exec(note.text);
  insist(found, "holds what is no succession of keys");
  const [, origin, number, , , since, until] = found, [old, next] = [await parseVkey(found[3]), await parseVkey(found[4])];
  insist([old, next].every(({ name, type }) => name === origin && type === 1), "is between keys of more than one log");
  insist(!same(old.key, next.key) && since < until, "leads from a key to itself");
  insist((await signers(note, [old, next])).length === 2, "is not signed by both keys");
  return { origin, number: Number(number), old, next };
}
/** The place of an opened entry under a checkpoint of one of `logs`. */
async function proveEntry(entry, origin, logs) {
  const cut = entry.proof.indexOf("\n\n"), [header, extra, place, ...rest] = entry.proof.slice(0, cut).split("\n");
  const group = await sha256("parcelward/v1/group\0", unhex(entry.salt, 32, CHAIN), utf8(entry.body));
  const committed = [1, ...await sha256("parcelward/v1/event\0", group)], index = Number(/^index (0|[1-9]\d*)$/.exec(place)?.[1]);
  insist(cut > 0 && header === PROOF && extra === `extra ${btoa(String.fromCharCode(...committed))}`, "proves another entry");
  const head = await openCheckpoint(entry.proof.slice(cut + 2), origin, logs), path = rest.map((row) => unbase64(row, CHAIN));
  insist(Number.isSafeInteger(index) && index < head.size, "names a place beyond the log's end");
  const sibling = async () => {
    insist(path.length && path[0].length === 32, "has too few hashes");
    return path.shift();
  };
  const root = await climb(await sha256([0], Uint8Array.from(committed)), index, 0, head.size, sibling);
  insist(path.length === 0 && same(root, head.root), "does not lead to the checkpoint");
  return index;
}
/** Read what /log/succession answered: [{old, next, index}], oldest first, each continuing the one before. */
export async function readSuccessions(bytes) {
  const file = parse(text(bytes, CHAIN)), links = [];
  insist(file?.object === "successions" && Array.isArray(file.entries), "is no file of successions");
  for (const entry of file.entries) {
    insist([entry?.body, entry?.proof, entry?.salt].every((part) => typeof part === "string"), "has an entry without proof");
    const said = parse(entry.body), before = links.at(-1);
    insist(said?.kind === "custody.log_key" && typeof said.note === "string", "has an entry that is no succession");
    const link = await openSuccession(said.note);
    insist(link.origin === file.origin && entry.origin === file.origin, "is of more than one log");
    insist(link.number === links.length + 1 && (!before || alike(link.old, before.next)), "has a gap or a branch");
    insist(!links.some(({ old }) => same(old.key, link.next.key)), "brings a key back");
    links.push(link);
  }
  for (const [at, link] of links.entries()) {
    link.index = await proveEntry(file.entries[at], file.origin, links.slice(at).map(({ next }) => next));
    insist(at === 0 || links[at - 1].index < link.index, "is in another order in the log");
  }
  return links;
}
/** The trusted keys and, if one of them is in the chain, all others of it: both keys sign each succession. */
export function trustThrough(trusted, links) {
  const chain = [...links.slice(0, 1).map(({ old }) => old), ...links.map(({ next }) => next)];
  const known = chain.some((key) => trusted.some((each) => alike(each, key)));
  return known ? [...trusted, ...chain.filter((key) => !trusted.some((each) => alike(each, key)))] : trusted;
}
/** A checkpoint must be signed by the key that was the log's when it had so many entries. */
export async function requireCurrent({ size, note, origin }, links) {
  const { next } = links.filter(({ index }) => index < size).at(-1) ?? {};
  insist(links.every((link) => link.origin === origin), "is of another log");
  insist(!next || (await signers(note, [next])).length, `names key ${next?.id}, which did not sign the checkpoint that covers this`);
}
