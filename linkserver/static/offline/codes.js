// Reads HC1 (EU Digital COVID Certificate) and SMART Health Card codes and checks their signatures, in this browser
// alone: nothing in this file can send anything. Every length, depth and number is bounded before it is used.

const MOST_TEXT = 10_000; // characters of a code
const MOST_BYTES = 10_000; // of what a code holds, once it is unpacked
const MOST_DEPTH = 12;
const BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

export class Unreadable extends Error {}

export function base45(text) {
  const out = [];
  for (let at = 0; at < text.length; at += 3) {
    const part = [...text.slice(at, at + 3)].map((letter) => BASE45.indexOf(letter));
    if (part.length === 1 || part.includes(-1)) throw new Unreadable("base45");
    const value = part.reduce((sum, digit, index) => sum + digit * 45 ** index, 0);
    if (value > (part.length === 3 ? 0xffff : 0xff)) throw new Unreadable("base45");
    if (part.length === 3) out.push(value >> 8);
    out.push(value & 0xff);
  }
  return Uint8Array.from(out);
}

export function base64url(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) throw new Unreadable("base64url");
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  if (toBase64url(bytes) !== text) throw new Unreadable("base64url"); // another spelling of the same bytes
  return bytes;
}

export function toBase64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// `format` is "deflate" (zlib) or "deflate-raw". A small code that unpacks to much is given up, not unpacked.
export async function inflate(bytes, format) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  const parts = [];
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > MOST_BYTES) throw new Unreadable("too much");
      parts.push(next.value);
    }
  } catch {
    reader.cancel().catch(() => {});
    throw new Unreadable("deflate");
  }
  const whole = new Uint8Array(length);
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

// The part of CBOR (RFC 8949) that codes use: numbers, bytes, texts, lists, maps, tags, definite lengths alone.
export function cbor(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  const take = (count) => {
    if (count > bytes.length - at) throw new Unreadable("cbor");
    at += count;
    return at - count;
  };
  const argument = (low) => {
    if (low < 24) return low;
    if (low === 24) return view.getUint8(take(1));
    if (low === 25) return view.getUint16(take(2));
    if (low === 26) return view.getUint32(take(4));
    if (low !== 27) throw new Unreadable("cbor");
    const value = Number(view.getBigUint64(take(8)));
    if (!Number.isSafeInteger(value)) throw new Unreadable("cbor");
    return value;
  };
  const simple = (low) => {
    if (low === 26) return view.getFloat32(take(4));
    if (low === 27) return view.getFloat64(take(8));
    if (low < 20 || low > 23) throw new Unreadable("cbor");
    return [false, true, null, undefined][low - 20];
  };
  const item = (depth) => {
    if (depth > MOST_DEPTH) throw new Unreadable("cbor");
    const head = view.getUint8(take(1));
    const kind = head >> 5;
    if (kind === 7) return simple(head & 31);
    const value = argument(head & 31);
    if (kind === 0) return value;
    if (kind === 1) return -1 - value;
    if (kind === 2) return bytes.slice(take(value), at);
    if (kind === 3) return new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice(take(value), at));
    if (kind === 6) return item(depth + 1); // the tags of COSE and CWT name what we know already
    if (value > bytes.length) throw new Unreadable("cbor");
    if (kind === 4) return Array.from({ length: value }, () => item(depth + 1));
    return new Map(Array.from({ length: value }, () => [item(depth + 1), item(depth + 1)]));
  };

  const read = item(0);
  if (at !== bytes.length) throw new Unreadable("cbor");
  return read;
}

function byteString(bytes) {
  const length = bytes.length;
  const head = length < 24 ? [0x40 + length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  return [...head, ...bytes];
}

async function isSigned(key, signature, content) {
  const { kty, crv, x, y } = key.jwk;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const imported = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, imported, signature, content);
}

// The key that signed exactly this content, if any did.
async function signer(keys, signature, content) {
  if (signature.length !== 64) return undefined;
  for (const key of keys) if (await isSigned(key, signature, content)) return key;
  return undefined;
}

async function readHc1(text, keys) {
  const cose = cbor(await inflate(base45(text.slice("HC1:".length)), "deflate"));
  if (!Array.isArray(cose) || cose.length !== 4) throw new Unreadable("cose");
  const [protectedBytes, open, payload, signature] = cose;
  const header = cbor(protectedBytes);
  const kid = toBase64url(header.get(4) ?? open.get(4));
  const isKnown = keys.some((key) => key.hc1Kid === kid);
  if (header.get(1) !== -7) return { verdict: isKnown ? "forged" : "other-issuer" }; // ES256 and nothing else
  const content = [0x84, 0x6a, ...new TextEncoder().encode("Signature1")]; // Sig_structure, RFC 9052 4.4
  content.push(...byteString(protectedBytes), 0x40, ...byteString(payload));
  // every key is tried: one that came after this page was kept has a short name that it does not know
  const key = await signer(keys, signature, Uint8Array.from(content));
  if (!key) return { verdict: isKnown ? "forged" : "other-issuer" };
  const claims = cbor(payload);
  const said = claims.get(-260).get(1);
  const names = said.get("nam");
  const doses = said.get("v");
  return {
    verdict: "valid",
    name: named(names.get("gn") ?? names.get("gnt"), names.get("fn") ?? names.get("fnt")),
    birthDate: said.get("dob"),
    doses: doses.map((dose) => ({ day: dose.get("dt"), number: dose.get("dn"), total: dose.get("sd"), code: dose.get("mp") })),
    expires: claims.get(4),
    revocation: { kind: "hc1", id: await hc1RevocationId(doses[0].get("ci")) },
  };
}

async function hc1RevocationId(ci) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ci)));
  return [...hash.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function readJws(text, keys) {
  const [head, body, mac] = text.split(".");
  const header = json(base64url(head));
  const known = keys.filter((key) => key.kid === header.kid);
  if (!known.length) return { verdict: "other-issuer" };
  if (header.alg !== "ES256" || header.zip !== "DEF") return { verdict: "forged" };
  const key = await signer(known, base64url(mac), new TextEncoder().encode(`${head}.${body}`));
  if (!key) return { verdict: "forged" };
  const claims = json(await inflate(base64url(body), "deflate-raw"));
  const resources = claims.vc.credentialSubject.fhirBundle.entry.map((entry) => entry.resource);
  const patient = resources.find((resource) => resource.resourceType === "Patient");
  const [name] = patient.name;
  return {
    verdict: "valid",
    name: name.text ?? named(...(name.given ?? []), name.family),
    birthDate: patient.birthDate,
    doses: resources.filter((resource) => resource.resourceType === "Immunization").map(immunization),
    expires: claims.exp,
    revocation: { kind: "shc", id: claims.vc.rid },
  };
}

function immunization(resource) {
  const { text, coding } = resource.vaccineCode;
  const day = resource.occurrenceDateTime.slice(0, 10);
  return { day, vaccine: text ?? coding?.[0].display, code: coding?.[0].code };
}

function json(bytes) {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

function named(...parts) {
  return parts.filter(Boolean).join(" ");
}

function fromDigits(digits) {
  if (digits.length % 2) throw new Unreadable("shc");
  return (digits.match(/../g) ?? []).map((pair) => String.fromCharCode(Number(pair) + 45)).join("");
}

// Sorts what was pasted or scanned: {kind, text}. An address is told, never followed.
export function sort(pasted, ours) {
  const text = pasted.slice(0, MOST_TEXT).replace(/[^\P{C}\s]/gu, "").trim();
  const bare = text.replace(/\s/g, "");
  const hc1 = text.replace(/[\r\n\t]/g, "").match(/(?<![0-9A-Za-z])HC1:[0-9A-Z $%*+\-./:]*/);
  if (text.startsWith("{")) return inFile(text);
  if (hc1) return { kind: "hc1", text: hc1[0].trimEnd() };
  const shc = bare.match(/shc:\/([0-9/]*)/i);
  if (shc) return { kind: "shc", text: shc[1] };
  if (/^ey[\w-]*\.[\w-]+\.[\w-]+$/.test(bare)) return { kind: "jws", text: bare };
  if (/^[0-9A-Za-z]{33}$/.test(bare) || isOurs(bare, ours, "/c/")) return { kind: "personal-link" };
  if (isOurs(bare, ours, "/")) return { kind: /\/(verify|cek)\/?\?(.*&)?n=/.test(bare) ? "needs-network" : "unreadable" };
  if (/[a-z][a-z0-9+.-]*:|\w\.\p{L}{2}/iu.test(text)) return { kind: "other-address" };
  if (/^[0-9A-Za-z]{12}$/.test(bare.replace(/-/g, ""))) return { kind: "needs-network" };
  return { kind: "unreadable" };
}

function isOurs(text, ours, path) {
  const start = ours.toLowerCase();
  const seen = text.toLowerCase();
  return [start, start.replace(/^https?:\/\//, "")].some((begin) => seen.startsWith(begin + path));
}

function inFile(text) {
  try {
    const [code] = JSON.parse(text).verifiableCredential;
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(code)) return { kind: "jws", text: code };
  } catch {
    // no such file
  }
  return { kind: "unreadable" };
}

// What `pasted` is, and for a code what it holds. `keys` and `ended` come from lists.js, `now` is in ms.
export async function check(pasted, { ours, keys, ended, now }) {
  const { kind, text } = sort(pasted, ours);
  if (!["hc1", "shc", "jws"].includes(kind)) return { verdict: kind };
  if (!keys) return { verdict: "no-list" };
  let read;
  try {
    read = kind === "hc1" ? await readHc1(text, keys) : await readJws(kind === "shc" ? fromDigits(text) : text, keys);
  } catch {
    return { verdict: "forged" }; // cut off, changed or made up: in any case not what we signed
  }
  if (read.verdict !== "valid") return read;
  const end = ended(read.revocation);
  if (end) return { ...read, verdict: end };
  return read.expires && read.expires * 1000 < now ? { ...read, verdict: "expired" } : read;
}
