/* What the addressee's link opens: their own fields of each event, decrypted and compared with what was recorded. The
 * key stands behind the # of the address, which browsers keep to themselves. Needs verify.js and nothing else. */

import { ProofFailed, groupHash, hex, idOf, join, text, unbase64 } from "./verify.js";

async function hmac(key, message) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, join(message)));
}
/** With the link's key, open and prove what the addressee may also see: {id: text}, empty where nothing was sealed. */
export async function openAddressee(proofs, key) {
  const opened = {}, raw = await hmac(key, "link");
  const link = await crypto.subtle.importKey("raw", raw, { name: "AES-GCM" }, false, ["decrypt"]);
  for (const [i, event] of proofs.events.entries()) {
    const where = `addressee's part of event ${i + 1}`, id = idOf(event, where);
    let canon = new Uint8Array();
    if (event.addressee_sealed !== "") {
      const box = unbase64(event.addressee_sealed, where);
      const how = { name: "AES-GCM", iv: box.subarray(0, 12), additionalData: id };
      try { canon = new Uint8Array(await crypto.subtle.decrypt(how, link, box.subarray(12))); } catch {
        throw new ProofFailed("link", where, "this link's key does not open it");
      }
    }
    const salt = canon.length ? await hmac(key, id) : new Uint8Array(32); // a group that holds nothing has no salt
    const hash = await groupHash(salt, canon);
    if (hex(hash) !== event.groups?.addressee) throw new ProofFailed("link", where, "is not what was recorded");
    opened[hex(id)] = text(canon, where);
  }
  return opened;
}
