/** The trust pack, opened against the anchor in the order of docs/formats.md, 2. */
import { ascii, fromBase64Url, fromUtf8 } from "./bytes.ts";
import { VerificationError, malformed } from "./faults.ts";
import { kidOf, pointOfSpki, signatureFits, spkiOfCoordinates } from "./signatures.ts";
import { type JsonObject, type JsonValue, exactObject, isObject, parseJson, textOf, wholeOf } from "./strictjson.ts";

const MAX_PACK = 32 * 1024 * 1024; // docs/formats.md, 2
const CLOCK_SKEW_SECONDS = 300;
const PURPOSES = ["token", "seal", "status", "receipt"];
const KEY_MEMBERS = ["kid", "purpose", "alg", "spki", "owner", "nbf", "exp", "withdrawn", "cert"];
const PACK_MEMBERS = ["version", "iat", "next_update", "issuer", "root_certificates", "keys", "body"];

export interface TrustedKey {
  kid: string;
  purpose: string;
  algorithm: string;
  owner: string;
  notBefore: number;
  notAfter: number;
  withdrawnAt: number | null;
  /** The uncompressed point of a P-256 key; null for other keys, which never verify tokens. */
  point: Uint8Array | null;
}

export interface TrustPack {
  version: number;
  issuedAt: number;
  nextUpdate: number;
  issuer: string;
  keys: ReadonlyMap<string, TrustedKey>;
  body: JsonObject;
}

interface Jws {
  kid: string;
  payload: JsonValue;
  message: Uint8Array;
  signature: Uint8Array;
}

/** A compact JWS of exactly this type, its signature not yet checked. */
function readJws(value: JsonValue | undefined, type: string): Jws {
  const parts = textOf(value, "JWS").split(".");
  if (parts.length !== 3) malformed("JWS parts");
  const [head, body, signature] = parts as [string, string, string];
  const header = exactObject(parseJson(fromUtf8(fromBase64Url(head))), ["alg", "kid", "typ"], "JWS header");
  if (header["alg"] !== "ES256") throw new VerificationError("wrong_key", "JWS alg");
  if (header["typ"] !== type) malformed("JWS typ");
  return {
    kid: textOf(header["kid"], "JWS kid"),
    payload: parseJson(fromUtf8(fromBase64Url(body))),
    message: ascii(`${head}.${body}`),
    signature: fromBase64Url(signature),
  };
}

function checkJws(jws: Jws, spki: Uint8Array, what: string): void {
  if (jws.kid !== kidOf(spki)) throw new VerificationError("untrusted_issuer", what);
  if (!signatureFits(jws.signature, jws.message, pointOfSpki(spki))) throw new VerificationError("bad_signature", what);
}

interface Delegation {
  spki: Uint8Array;
  notBefore: number;
  notAfter: number;
}

function readDelegation(payload: JsonValue): Delegation {
  const members = exactObject(payload, ["purpose", "jwk", "nbf", "exp"], "delegation");
  if (members["purpose"] !== "trust-pack") malformed("delegation purpose");
  const jwk = exactObject(members["jwk"], ["kty", "crv", "x", "y"], "delegation key");
  if (jwk["kty"] !== "EC" || jwk["crv"] !== "P-256") malformed("delegation key");
  return {
    spki: spkiOfCoordinates(fromBase64Url(textOf(jwk["x"], "x")), fromBase64Url(textOf(jwk["y"], "y"))),
    notBefore: wholeOf(members["nbf"], "delegation nbf"),
    notAfter: wholeOf(members["exp"], "delegation exp"),
  };
}

function readKey(value: JsonValue): TrustedKey {
  const members = exactObject(value, KEY_MEMBERS, "key");
  const spki = fromBase64Url(textOf(members["spki"], "key spki"));
  const purpose = textOf(members["purpose"], "key purpose");
  const algorithm = textOf(members["alg"], "key alg");
  if (!PURPOSES.includes(purpose)) malformed("key purpose");
  if (algorithm !== "ES256" && !(algorithm === "RS256" && purpose === "seal")) malformed("key alg");
  if (members["kid"] !== kidOf(spki)) malformed("key id");
  const cert = members["cert"];
  if (cert !== null) fromBase64Url(textOf(cert, "key cert"));
  else if (purpose === "seal") malformed("seal key without certificate");
  const withdrawn = members["withdrawn"];
  return {
    kid: textOf(members["kid"], "key id"),
    purpose, algorithm,
    owner: textOf(members["owner"], "key owner"),
    notBefore: wholeOf(members["nbf"], "key nbf"),
    notAfter: wholeOf(members["exp"], "key exp"),
    withdrawnAt: withdrawn === null ? null : wholeOf(withdrawn, "key withdrawn"),
    point: algorithm === "ES256" ? pointOfSpki(spki) : null,
  };
}

function keysById(entries: readonly JsonValue[]): ReadonlyMap<string, TrustedKey> {
  const keys = new Map<string, TrustedKey>();
  for (const entry of entries) {
    const key = readKey(entry);
    if (keys.has(key.kid)) malformed("two keys with one id");
    keys.set(key.kid, key);
  }
  return keys;
}

/**
 * The pack, signed by a key that the anchor delegated, and not older than one already seen.
 *
 * The caller judges its age (`nextUpdate`): a pack past its date never gives "valid".
 *
 * @param text the file as it came
 * @param anchorSpki SubjectPublicKeyInfo of the library's root key, known by another way
 * @param atLeastVersion the highest version ever seen under this anchor
 */
export function openPack(text: string, anchorSpki: Uint8Array, nowSeconds: number, atLeastVersion: number): TrustPack {
  if (text.length > MAX_PACK) throw new VerificationError("too_large", "trust pack");
  const file = exactObject(parseJson(text), ["delegation", "pack"], "trust pack");
  const delegationJws = readJws(file["delegation"], "certlib-delegation+jwt");
  checkJws(delegationJws, anchorSpki, "delegation");
  const delegation = readDelegation(delegationJws.payload);
  if (nowSeconds < delegation.notBefore) throw new VerificationError("not_yet_valid", "delegation");
  if (nowSeconds >= delegation.notAfter) throw new VerificationError("stale_trust", "delegation");
  const packJws = readJws(file["pack"], "certlib-trust-pack+jwt");
  checkJws(packJws, delegation.spki, "pack");
  const members = exactObject(packJws.payload, PACK_MEMBERS, "pack");
  const version = wholeOf(members["version"], "version");
  const issuedAt = wholeOf(members["iat"], "iat");
  if (version < 1) malformed("version");
  if (issuedAt < delegation.notBefore || issuedAt >= delegation.notAfter) {
    throw new VerificationError("untrusted_issuer", "pack outside its delegation");
  }
  if (issuedAt > nowSeconds + CLOCK_SKEW_SECONDS) throw new VerificationError("not_yet_valid", "pack");
  if (version < atLeastVersion) throw new VerificationError("rolled_back", "pack");
  const entries = members["keys"];
  const roots = members["root_certificates"];
  const body = members["body"];
  if (!Array.isArray(entries) || !Array.isArray(roots) || !isObject(body)) malformed("pack members");
  if (entries.length === 0 || roots.length === 0) throw new VerificationError("empty_trust", "pack");
  for (const root of roots) fromBase64Url(textOf(root, "root certificate"));
  return {
    version, issuedAt, body,
    nextUpdate: wholeOf(members["next_update"], "next_update"),
    issuer: textOf(members["issuer"], "issuer"),
    keys: keysById(entries),
  };
}
