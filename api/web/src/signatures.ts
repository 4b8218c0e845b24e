/** ES256, key ids and SHA-256. In our own code, not `crypto.subtle`: phones have no `crypto.subtle` on plain http. */
import { p256 } from "@noble/curves/nist.js";
import { sha256 as digest } from "@noble/hashes/sha2.js";
import { concat, equal, toHex } from "./bytes.ts";
import { malformed } from "./faults.ts";

// DER of SubjectPublicKeyInfo up to the point: id-ecPublicKey, prime256v1, BIT STRING (RFC 5480, 2.1).
const P256_SPKI_HEAD = Uint8Array.of(
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
  0x03, 0x42, 0x00,
);
const UNCOMPRESSED = 4;
const POINT_BYTES = 65;
const SIGNATURE_BYTES = 64;

export function sha256(data: Uint8Array): Uint8Array {
  return digest(data);
}

/** Hex of the first 8 bytes of SHA-256 over the SubjectPublicKeyInfo. */
export function kidOf(spki: Uint8Array): string {
  return toHex(digest(spki).subarray(0, 8));
}

/** A P-256 key as the 65 bytes of its uncompressed point, which lies on the curve. */
export function pointOfSpki(spki: Uint8Array): Uint8Array {
  if (spki.length !== P256_SPKI_HEAD.length + POINT_BYTES || !equal(spki.subarray(0, P256_SPKI_HEAD.length), P256_SPKI_HEAD)) {
    malformed("not a P-256 key");
  }
  return checkedPoint(spki.subarray(P256_SPKI_HEAD.length));
}

/** SubjectPublicKeyInfo of the point with these coordinates. */
export function spkiOfCoordinates(x: Uint8Array, y: Uint8Array): Uint8Array {
  if (x.length !== 32 || y.length !== 32) malformed("P-256 coordinates");
  return concat(P256_SPKI_HEAD, checkedPoint(concat(Uint8Array.of(UNCOMPRESSED), x, y)));
}

function checkedPoint(point: Uint8Array): Uint8Array {
  if (point[0] !== UNCOMPRESSED) malformed("compressed point");
  try {
    p256.Point.fromBytes(point).assertValidity();
  } catch {
    malformed("point off the curve");
  }
  return point;
}

/** True if `signature` (raw r and s, 64 bytes, high s accepted) is the key's over `message`. */
export function signatureFits(signature: Uint8Array, message: Uint8Array, point: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    return p256.verify(signature, message, point, { lowS: false, prehash: true, format: "compact" });
  } catch {
    return false; // r or s is zero or out of range
  }
}
