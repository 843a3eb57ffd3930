/* What the addressee's link opens: their own fields of each event, decrypted and compared with what was recorded. The
 * key stands behind the # of the address, which browsers keep to themselves. Needs verify.js and nothing else. */

import { ProofFailed, groupHash, hex, idOf, text, unbase64 } from "./verify.js";

const NONCE = 12, SALT = 32; // bytes; a box is nonce, then salt and text encrypted

/** With the link's key, open and prove what the addressee may also see: {id: text}, empty where there is nothing. */
export async function openAddressee(proofs, key) {
  const opened = Object.create(null);
  const link = await crypto.subtle.importKey("raw", key, { name: "AES-GCM" }, false, ["decrypt"]);
  for (const [i, event] of proofs.events.entries()) {
    const where = `addressee's part of event ${i + 1}`, id = idOf(event, where);
    let said = new Uint8Array(SALT); // a group that holds nothing has no salt
    if (event.addressee_sealed !== "") {
      const box = unbase64(event.addressee_sealed, where);
      const how = { name: "AES-GCM", iv: box.subarray(0, NONCE), additionalData: id };
      try { said = new Uint8Array(await crypto.subtle.decrypt(how, link, box.subarray(NONCE))); } catch {
        throw new ProofFailed("link", where, "this link's key does not open it");
      }
    }
    const canon = said.subarray(SALT), hash = await groupHash(said.subarray(0, SALT), canon);
    if (hex(hash) !== event.groups?.addressee) throw new ProofFailed("link", where, "is not what was recorded");
    opened[hex(id)] = text(canon, where);
  }
  return opened;
}
