// Runs the page's verifier under Node over cases from standard input, and prints what each gave. See test_verify_js.py.
import { pathToFileURL } from "node:url";
import { text as readAll } from "node:stream/consumers";

const { cases, folder } = JSON.parse(await readAll(process.stdin));
const verify = await import(pathToFileURL(`${folder}/verify.js`));
const { checkShown } = await import(pathToFileURL(`${folder}/shown.js`));
const { openAddressee } = await import(pathToFileURL(`${folder}/addressee.js`));
const { ed25519InScript } = await import(pathToFileURL(`${folder}/ed25519.js`));
const bytes = (base64) => Uint8Array.from(Buffer.from(base64, "base64"));

async function item({ proofs, files, shown, key, seen }) {
  const asked = [];
  const get = async (path) => {
    asked.push(path);
    return path in files ? bytes(files[path]) : null;
  };
  const opened = await verify.openEvents(proofs);
  if (shown) checkShown(shown, opened);
  const log = await verify.openLog(proofs, get);
  const { proven, pending, closed } = await verify.recorded(opened, log);
  const growth = await verify.grew(seen ?? null, log);
  const witnesses = await verify.witnessed(proofs, opened, log);
  const addressee = key ? await openAddressee(proofs, bytes(key)) : null;
  return { proven, pending, closed, growth, witnesses, addressee, asked, size: log.head.size, root: verify.hex(log.head.root) };
}
async function signature({ key, signature: made, message }) {
  const args = [bytes(key), bytes(made), bytes(message)];
  return { native: await verify.ed25519(...args), script: await ed25519InScript(...args) };
}
async function note({ source, vkeys }) {
  const signed = await verify.signers(verify.parseNote(bytes(source)), await Promise.all(vkeys.map(verify.parseVkey)));
  return { signed };
}
async function file({ module, data, keys, chain }) {
  const { checkFile } = await import(pathToFileURL(module));
  const report = await checkFile(bytes(data), keys, chain ? bytes(chain) : null);
  const { kind, checkpoint, by, events, gaps, pending, shown } = report;
  return { kind, size: checkpoint.size, by: by.map(({ name }) => name), events, gaps, pending, shown };
}
async function log({ origin, vkey, checkpoints, files, leaves }) {
  const get = async (path) => (path in files ? bytes(files[path]) : null);
  const vkeys = [await verify.parseVkey(vkey)], heads = [];
  for (const source of checkpoints) heads.push(await verify.openCheckpoint(bytes(source), origin, vkeys));
  let proofs = 0;
  for (const head of heads) {
    const tiles = new verify.Tiles(head.size, get);
    for (let index = 0; index < head.size; index += 1, proofs += 1) {
      await tiles.include(verify.unhex(leaves[index], 32, "leaf"), index, head.root, `entry ${index}`);
    }
    for (const older of heads.filter(({ size }) => size <= head.size)) {
      await tiles.grewFrom(older.size, older.root, head.root, `size ${older.size}`);
      proofs += 1;
    }
  }
  return { proofs };
}
const answers = [];
for (const each of cases) {
  try {
    answers.push({ ok: true, ...(await { item, signature, note, file, log }[each.kind](each)) });
  } catch (error) {
    answers.push({ ok: false, name: error.name, code: error.code ?? null, where: error.where ?? null, message: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));
