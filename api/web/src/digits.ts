/** From what a scanner or a person gives to the bytes of a token (docs/formats.md, 1.1 and 1.2). */
import { VerificationError, malformed } from "./faults.ts";

const MAX_TEXT = 16_384; // docs/formats.md, 1.1
const MAX_DIGITS = 3_000; // docs/formats.md, 1.2
const GROUP_DIGITS = 17;
const GROUP_BYTES = 7;
const BYTES_OF_REST: ReadonlyMap<number, number> = new Map([[0, 0], [3, 1], [5, 2], [8, 3], [10, 4], [13, 5], [15, 6]]);

/**
 * What was typed, with full-width forms (U+FF01 to U+FF5E) and the ideographic space folded to ASCII, and invisible characters removed.
 *
 * A step of its own for input fields: Chinese input methods give full-width digits. The decoder never does this.
 */
export function foldWidth(typed: string): string {
  return typed
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replace(/\u3000/g, " ")
    .replace(/[\u200b-\u200f\u2060\ufeff]/g, "");
}

/** The digits of a URL with a fragment, of bare digits, or the last long run that a keyboard-wedge scanner left. */
export function digitsOf(text: string): string {
  if (text.length > MAX_TEXT) throw new VerificationError("too_large", "text");
  const cut = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (/^[0-9]+$/.test(cut)) return cut;
  const parts = cut.split("#");
  if (parts.length === 2 && /^[0-9]+$/.test(parts[1] ?? "")) return parts[1] ?? "";
  const run = cut.match(/[0-9]{100,}/g)?.pop();
  if (run === undefined) throw new VerificationError("no_code", "no run of 100 digits");
  return run;
}

/** Bytes of the digits: 17 digits to 7 bytes, little-endian, the last group shorter. */
export function bytesOfDigits(digits: string): Uint8Array {
  if (digits.length > MAX_DIGITS) throw new VerificationError("too_large", "digits");
  if (!/^[0-9]+$/.test(digits)) malformed("not ASCII digits");
  const restBytes = BYTES_OF_REST.get(digits.length % GROUP_DIGITS);
  if (restBytes === undefined) malformed("number of digits");
  const out = new Uint8Array(Math.floor(digits.length / GROUP_DIGITS) * GROUP_BYTES + restBytes);
  let at = 0;
  for (let start = 0; start < digits.length; start += GROUP_DIGITS) {
    const size = Math.min(GROUP_BYTES, out.length - at);
    let value = BigInt(digits.slice(start, start + GROUP_DIGITS));
    for (let i = 0; i < size; i++) {
      out[at++] = Number(value & 255n);
      value >>= 8n;
    }
    if (value !== 0n) malformed("group out of range");
  }
  return out;
}
