/** A QR token, verified in the order of docs/formats.md, 1.5. */
import { ascii, concat, equal, toHex } from "./bytes.ts";
import { type CborMap, type CborValue, readMap } from "./cbor.ts";
import { bytesOfDigits, digitsOf } from "./digits.ts";
import { VerificationError, malformed } from "./faults.ts";
import { inflateRaw } from "./inflate.ts";
import { sha256, signatureFits } from "./signatures.ts";
import type { TrustedKey, TrustPack } from "./trust.ts";

const MAX_INFLATED = 4_096; // docs/formats.md, 1.4
const MAX_SECONDS = 253_402_300_799; // end of the year 9999
const MIN_SECONDS = -62_135_596_800; // start of the year 1: registers know licences from before 1970
const CLOCK_SKEW_SECONDS = 300; // docs/formats.md, 1.5 step 8b
const SIGNATURE_BYTES = 64;
const PROTECTED_BYTES = 13;
const HEAD = Uint8Array.of(0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x26, 0x04, 0x48);
const KID_AT = HEAD.length;
const UNPROTECTED_AT = KID_AT + 8;

const CLAIM_IDENTIFIER = 2;
const CLAIM_AUDIENCE = 3;
const CLAIM_EXPIRES = 4;
const CLAIM_NOT_BEFORE = 5;
const CLAIM_ISSUED = 6;
const CLAIM_STATUS = 65_535;
const CLAIM_FIELDS = -65_537;
const CLAIM_COPY = -65_538;
const COPY_REFERENCE = 1;
const COPY_PURPOSE = 2;
const MAX_REFERENCE = 64;

/** For whom a copy's token was made. */
export interface Audience {
  /** Code of the asker. */
  code: string;
  /** Of the use. */
  reference: string;
  /** What for; may be empty. */
  purpose: string;
}

export interface TokenClaims {
  identifier: string;
  issuedAt: number;
  notBefore: number | null;
  expiresAt: number | null;
  statusIndex: number;
  statusUri: string;
  fields: ReadonlyMap<number, number | string>;
  /** Null for a licence's own token. A copy has an end: `expiresAt` is its own. */
  audience: Audience | null;
}

export interface VerifiedToken {
  claims: TokenClaims;
  key: TrustedKey;
  checkPhrase: string;
}

export interface CoseSign1 {
  kid: string;
  payload: Uint8Array;
  signature: Uint8Array;
  /** Sig_structure: the bytes that are signed. */
  signed: Uint8Array;
}

/** Step 3: the exact bytes of docs/formats.md, 1.3. */
export function readCose(bytes: Uint8Array): CoseSign1 {
  if (!equal(bytes.subarray(0, KID_AT), HEAD)) malformed("COSE head");
  if (bytes[UNPROTECTED_AT] !== 0xa0) malformed("unprotected header");
  const headAt = UNPROTECTED_AT + 1;
  const first = bytes[headAt] ?? 0;
  let headBytes = 1;
  let length = first - 0x40;
  if (first === 0x58) [headBytes, length] = [2, bytes[headAt + 1] ?? 0];
  else if (first === 0x59) [headBytes, length] = [3, (bytes[headAt + 1] ?? 0) * 256 + (bytes[headAt + 2] ?? 0)];
  const least = headBytes === 1 ? 1 : headBytes === 2 ? 24 : 256;
  const most = headBytes === 1 ? 23 : headBytes === 2 ? 255 : 65_535;
  if (length < least || length > most) malformed("payload length");
  const payloadAt = headAt + headBytes;
  const signatureAt = payloadAt + length;
  if (bytes.length !== signatureAt + 2 + SIGNATURE_BYTES) malformed("COSE length");
  if (bytes[signatureAt] !== 0x58 || bytes[signatureAt + 1] !== SIGNATURE_BYTES) malformed("signature length");
  const protectedBytes = bytes.subarray(3, 3 + PROTECTED_BYTES);
  return {
    kid: toHex(bytes.subarray(KID_AT, UNPROTECTED_AT)),
    payload: bytes.subarray(payloadAt, signatureAt),
    signature: bytes.subarray(signatureAt + 2),
    signed: concat(
      Uint8Array.of(0x84, 0x6a), ascii("Signature1"), Uint8Array.of(0x4d), protectedBytes, Uint8Array.of(0x40),
      bytes.subarray(headAt, signatureAt),
    ),
  };
}

/** Two proquints of the first 4 bytes of SHA-256 over the signed bytes (docs/formats.md, 1.6). */
export function checkPhrase(signed: Uint8Array): string {
  const sum = sha256(signed);
  return proquint(sum[0]! * 256 + sum[1]!) + "-" + proquint(sum[2]! * 256 + sum[3]!);
}

/** One proquint for 16 bits. */
export function proquint(value: number): string {
  const consonants = "bdfghjklmnprstvz";
  const vowels = "aiou";
  const letter = (set: string, shift: number): string => set.charAt((value >> shift) & (set.length - 1));
  return letter(consonants, 12) + letter(vowels, 10) + letter(consonants, 6) + letter(vowels, 4) + letter(consonants, 0);
}

function integer(value: CborValue | undefined, name: string, most: number, least = 0): number {
  if (typeof value !== "number" || value < least || value > most) malformed(name);
  return value;
}

/** Length in characters (code points), as the signer counts. */
function text(value: CborValue | undefined, name: string, least: number, most: number): string {
  if (typeof value !== "string") malformed(name);
  const length = [...value].length;
  if (length < least || length > most) malformed(name);
  return value;
}

function statusOf(value: CborValue | undefined): { statusIndex: number; statusUri: string } {
  if (!(value instanceof Map) || value.size !== 1) malformed("claim 65535");
  const list = value.get("status_list");
  if (!(list instanceof Map) || list.size !== 2) malformed("status_list");
  return {
    statusIndex: integer(list.get("idx"), "status index", Number.MAX_SAFE_INTEGER),
    statusUri: text(list.get("uri"), "status uri", 1, 200),
  };
}

function fieldsOf(value: CborValue | undefined): ReadonlyMap<number, number | string> {
  if (!(value instanceof Map) || value.size > 64) malformed("claim -65537");
  const fields = new Map<number, number | string>();
  for (const [key, item] of value) {
    if (typeof key !== "number" || key < 1 || key > 65_535) malformed("field key");
    if (typeof item === "object") malformed("field value");
    fields.set(key, typeof item === "string" ? text(item, "field value", 0, 1_500) : item);
  }
  return fields;
}

/** The two claims of a copy come together, or not at all. */
function audienceOf(map: CborMap): Audience | null {
  const copy = map.get(CLAIM_COPY);
  if (map.has(CLAIM_AUDIENCE) !== map.has(CLAIM_COPY)) malformed("half of a copy");
  if (copy === undefined) return null;
  if (!(copy instanceof Map) || copy.size !== 2) malformed("claim -65538");
  return {
    code: text(map.get(CLAIM_AUDIENCE), "claim 3", 1, MAX_REFERENCE),
    reference: text(copy.get(COPY_REFERENCE), "reference", 1, MAX_REFERENCE),
    purpose: text(copy.get(COPY_PURPOSE), "purpose", 0, 200),
  };
}

/** Step 8: the claims with their types, none missing, none unknown. */
export function claimsOf(map: CborMap): TokenClaims {
  const known = [
    CLAIM_IDENTIFIER, CLAIM_AUDIENCE, CLAIM_EXPIRES, CLAIM_NOT_BEFORE, CLAIM_ISSUED, CLAIM_STATUS, CLAIM_FIELDS, CLAIM_COPY,
  ];
  for (const key of map.keys()) if (typeof key !== "number" || !known.includes(key)) malformed("unknown claim");
  const moment = (claim: number): number | null =>
    map.has(claim)
      ? integer(map.get(claim), `claim ${claim}`, MAX_SECONDS, claim === CLAIM_ISSUED ? 0 : MIN_SECONDS)
      : null;
  const [notBefore, expiresAt, issuedAt] = [moment(CLAIM_NOT_BEFORE), moment(CLAIM_EXPIRES), moment(CLAIM_ISSUED)];
  if (issuedAt === null) malformed("claim 6 missing");
  if (notBefore !== null && expiresAt !== null && notBefore >= expiresAt) malformed("claims 5 and 4");
  const audience = audienceOf(map);
  if (audience !== null && expiresAt === null) malformed("a copy without an end");
  return {
    identifier: text(map.get(CLAIM_IDENTIFIER), "claim 2", 1, 200),
    issuedAt, notBefore, expiresAt,
    ...statusOf(map.get(CLAIM_STATUS)),
    fields: fieldsOf(map.get(CLAIM_FIELDS)),
    audience,
  };
}

/**
 * The token, genuine and by a key that the pack trusts for tokens.
 *
 * The caller still judges the licence's dates, its status and the age of the pack (step 9).
 *
 * @param typed what a scanner or a person gave; full-width digits already folded by the input field
 * @param nowSeconds seconds since 1970
 */
export function verifyToken(typed: string, pack: TrustPack, nowSeconds: number): VerifiedToken {
  const digits = digitsOf(typed); // 1
  const bytes = bytesOfDigits(digits); // 2
  const cose = readCose(bytes); // 3
  const key = pack.keys.get(cose.kid); // 4
  if (pack.keys.size === 0) throw new VerificationError("empty_trust", "no keys");
  if (key === undefined) throw new VerificationError("unknown_key", cose.kid);
  if (key.purpose !== "token" || key.algorithm !== "ES256" || key.point === null) throw new VerificationError("wrong_key", cose.kid);
  if (key.withdrawnAt !== null) throw new VerificationError("key_withdrawn", cose.kid);
  if (!signatureFits(cose.signature, cose.signed, key.point)) throw new VerificationError("bad_signature", "token"); // 5
  const inflated = inflateRaw(cose.payload, MAX_INFLATED); // 6
  const claims = claimsOf(readMap(inflated)); // 7, 8
  if (claims.issuedAt < key.notBefore || claims.issuedAt >= key.notAfter) {
    throw new VerificationError("expired_certificate", "issued outside the key's period"); // 8a
  }
  if (claims.issuedAt > nowSeconds + CLOCK_SKEW_SECONDS) throw new VerificationError("not_yet_valid", "issued in the future"); // 8b
  return { claims, key, checkPhrase: checkPhrase(cose.signed) };
}
