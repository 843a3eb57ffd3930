/* case.jsonld, the bundle's description for forensic tools, made anew from manifest.json and chain.json so that it can be
 * compared to the byte. What stands in it and why: custody/evidence_case.py. */

import { hex, join, unhex } from "./verify.js";

export const CASE = "case.jsonld";
const WEB = "://", UCO = "ontology.unifiedcyberontology.org/uco", URLS = unhex("6ba7b8119dad11d180b400c04fd430c8", 16, CASE);
const ONTOLOGIES = {
  "case-investigation": `https${WEB}ontology.caseontology.org/case/investigation/`,
  xsd: `http${WEB}www.w3.org/2001/XMLSchema#`,
  ...Object.fromEntries(["action", "core", "identity", "observable", "tool", "types"].map(
    (each) => [`uco-${each}`, `https${WEB}${UCO}/${each}/`])),
};

/** The one spelling of a JSON value: sorted keys, no spaces. */
export function spell(value) {
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${spell(value[key])}`).join(",")}}`;
}
/** A node whose identifier is the version 5 UUID (RFC 9562) of an address. */
async function described(address, kind, said) {
  const made = new Uint8Array(await crypto.subtle.digest("SHA-1", join(URLS, address))).slice(0, 16);
  made[6] = (made[6] & 0x0f) | 0x50;
  made[8] = (made[8] & 0x3f) | 0x80;
  return { "@id": `urn:uuid:${hex(made).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")}`, "@type": kind, ...said };
}
const ref = (of) => ({ "@id": of["@id"] });

/** case.jsonld as it has to be. */
export async function describeCase(manifest, items, origin) {
  const log = `https${WEB}${origin}`, rows = manifest.files.filter(({ path }) => path !== CASE);
  const whole = `${log}#bundle/${manifest.made_at}/${rows.find(({ path }) => path === "report.html").sha256}`;
  const post = await described(`${log}#operator`, "uco-identity:Organization", { "uco-core:name": manifest.operator });
  const used = [await accountNode(manifest.exporter, post, log), await toolNode(manifest.software, log)];
  const basis = manifest.legal_basis ? [await described(`${whole}/legal-basis`, "case-investigation:Authorization", {
    "case-investigation:authorizationType": "legal basis", "uco-core:description": manifest.legal_basis,
  })] : [];
  const parcels = await Promise.all(items.map((item) => itemNode(item, origin)));
  const files = await Promise.all(rows.map((row) => fileNode(row, whole)));
  const record = await described(`${whole}/provenance`, "case-investigation:ProvenanceRecord", {
    "case-investigation:exhibitNumber": manifest.reference, "uco-core:object": [...parcels, ...files].map(ref) });
  const action = await described(`${whole}/export`, "case-investigation:InvestigativeAction", {
    "uco-action:instrument": used.map(ref), "uco-action:object": parcels.map(ref), "uco-action:performer": ref(post),
    "uco-action:result": [ref(record)],
    "uco-action:startTime": { "@type": "xsd:dateTime", "@value": manifest.made_at },
    "uco-core:name": "Export of an evidence bundle" });
  const inquiry = await described(`${whole}/investigation`, "case-investigation:Investigation", {
    "case-investigation:relevantAuthorization": basis.map(ref), "uco-core:name": manifest.reference,
    "uco-core:object": [action, record].map(ref) });
  const about = await described(whole, "uco-core:Bundle", { "uco-core:createdBy": ref(post),
    "uco-core:object": [post, ...used, ...basis, ...parcels, ...files, record, action, inquiry] });
  return spell({ "@context": ONTOLOGIES, "@graph": [about] });
}
async function accountNode(name, post, log) {
  const at = `${log}#account/${name}`;
  const facet = await described(`${at}/facet`, "uco-observable:AccountFacet", {
    "uco-observable:accountIdentifier": name, "uco-observable:accountIssuer": ref(post) });
  return described(at, "uco-observable:Account", { "uco-core:hasFacet": [facet] });
}
function toolNode(software, log) {
  const [name, ...version] = software.split(" ");
  return described(`${log}#tool/${software}`, "uco-tool:Tool", { "uco-core:name": name, "uco-tool:version": version.join(" ") });
}
async function itemNode({ item_id: id, number }, origin) {
  const at = `https${WEB}${origin}#item/${id}`;
  const known = await described(`${at}/reference`, "uco-core:ExternalReference", {
    "uco-core:definingContext": origin, "uco-core:externalIdentifier": id });
  return described(at, "uco-core:Item", { "uco-core:externalReference": [known], "uco-core:name": number || id });
}
async function fileNode({ path, sha256: hash, size }, whole) {
  const at = `${whole}/file/${path}`, value = { "@type": "xsd:hexBinary", "@value": hash };
  const made = await described(`${at}#sha256`, "uco-types:Hash", { "uco-types:hashMethod": "SHA256", "uco-types:hashValue": value });
  const facets = [
    await described(`${at}#file`, "uco-observable:FileFacet", {
      "uco-observable:fileName": path.split("/").at(-1), "uco-observable:filePath": path }),
    await described(`${at}#content`, "uco-observable:ContentDataFacet", {
      "uco-observable:hash": [made], "uco-observable:sizeInBytes": size }),
  ];
  return described(at, "uco-observable:File", { "uco-core:hasFacet": facets });
}
