/**
 * Raw DEFLATE (RFC 1951), strict and bounded: output cap, end of stream reached, no byte over.
 *
 * Written here because the small libraries forgive what zlib refuses (no NLEN check, incomplete codes, distances
 * before the start, bytes after the end), and page and server must agree on every input.
 */
import { VerificationError, malformed } from "./faults.ts";

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]; // RFC 1951, 3.2.7
const MAX_BITS = 15;
const END_OF_BLOCK = 256;

/** A canonical Huffman code: how many codes of each length, and the symbols in the order of their codes. */
interface Code {
  counts: Uint16Array;
  symbols: Uint16Array;
}

function codeOf(lengths: Uint8Array, lonelyAllowed: boolean): Code {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) counts[length]!++;
  const used = lengths.length - counts[0]!;
  let left = 1;
  let longest = 0;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = left * 2 - counts[bits]!;
    if (left < 0) malformed("over-subscribed code");
    if (counts[bits]! > 0) longest = bits;
  }
  // As zlib: an incomplete code is lawful only with one code of one bit, or with none that is never used.
  if (left > 0 && used > 0 && !(lonelyAllowed && longest === 1)) malformed("incomplete code");
  const offsets = new Uint16Array(MAX_BITS + 2);
  for (let bits = 1; bits <= MAX_BITS; bits++) offsets[bits + 1] = offsets[bits]! + counts[bits]!;
  const symbols = new Uint16Array(used);
  lengths.forEach((length, symbol) => {
    if (length > 0) symbols[offsets[length]!++] = symbol;
  });
  counts[0] = 0;
  return { counts, symbols };
}

function fixedCodes(): { literals: Code; distances: Code } {
  const lengths = new Uint8Array(288).fill(8);
  lengths.fill(9, 144, 256);
  lengths.fill(7, 256, 280);
  return { literals: codeOf(lengths, true), distances: codeOf(new Uint8Array(32).fill(5), true) };
}

class BitReader {
  private at = 0;
  private held = 0;
  private count = 0;

  constructor(private readonly data: Uint8Array) {}

  bits(need: number): number {
    while (this.count < need) {
      const byte = this.data[this.at++];
      if (byte === undefined) malformed("stream cut short");
      this.held |= byte << this.count;
      this.count += 8;
    }
    const value = this.held & ((1 << need) - 1);
    this.held >>>= need;
    this.count -= need;
    return value;
  }

  symbol(code: Code): number {
    let value = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      value |= this.bits(1);
      const count = code.counts[bits]!;
      if (value - count < first) return code.symbols[index + (value - first)]!;
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    return malformed("no such code");
  }

  /** The next `size` whole bytes; bits left of the byte before are dropped. */
  stored(size: number): Uint8Array {
    const taken = this.data.subarray(this.at, this.at + size);
    if (taken.length < size) malformed("stream cut short");
    this.at += size;
    return taken;
  }

  dropBits(): void {
    this.held = 0;
    this.count = 0;
  }

  atEnd(): boolean {
    return this.at === this.data.length;
  }
}

function dynamicCodes(reader: BitReader): { literals: Code; distances: Code } {
  const literalCount = reader.bits(5) + 257;
  const distanceCount = reader.bits(5) + 1;
  const lengthCount = reader.bits(4) + 4;
  if (literalCount > 286 || distanceCount > 30) malformed("too many codes");
  const codeLengths = new Uint8Array(19);
  for (let i = 0; i < lengthCount; i++) codeLengths[CODE_LENGTH_ORDER[i]!] = reader.bits(3);
  const lengthCode = codeOf(codeLengths, false);
  const lengths = new Uint8Array(literalCount + distanceCount);
  for (let at = 0; at < lengths.length; ) {
    const symbol = reader.symbol(lengthCode);
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    if (symbol === 16 && at === 0) malformed("nothing to repeat");
    const value = symbol === 16 ? lengths[at - 1]! : 0;
    const repeat = symbol === 16 ? 3 + reader.bits(2) : symbol === 17 ? 3 + reader.bits(3) : 11 + reader.bits(7);
    if (at + repeat > lengths.length) malformed("too many lengths");
    lengths.fill(value, at, at + repeat);
    at += repeat;
  }
  if (lengths[END_OF_BLOCK] === 0) malformed("no end of block");
  return { literals: codeOf(lengths.subarray(0, literalCount), true), distances: codeOf(lengths.subarray(literalCount), true) };
}

/**
 * The inflated bytes, at most `maxBytes`.
 *
 * @throws VerificationError `too_large` past the cap; `malformed` for a damaged or cut stream and for bytes after its end.
 */
export function inflateRaw(data: Uint8Array, maxBytes: number): Uint8Array {
  const reader = new BitReader(data);
  const out = new Uint8Array(maxBytes);
  let size = 0;
  const grow = (more: number): void => {
    if (size + more > maxBytes) throw new VerificationError("too_large", "inflated");
  };
  for (let last = false; !last; ) {
    last = reader.bits(1) === 1;
    const kind = reader.bits(2);
    if (kind === 3) malformed("block type");
    if (kind === 0) {
      reader.dropBits();
      const head = reader.stored(4);
      const length = head[0]! | (head[1]! << 8);
      if ((length ^ 0xffff) !== (head[2]! | (head[3]! << 8))) malformed("stored length");
      const bytes = reader.stored(length);
      grow(length);
      out.set(bytes, size);
      size += length;
      continue;
    }
    const { literals, distances } = kind === 1 ? fixedCodes() : dynamicCodes(reader);
    for (let symbol = reader.symbol(literals); symbol !== END_OF_BLOCK; symbol = reader.symbol(literals)) {
      if (symbol < END_OF_BLOCK) {
        grow(1);
        out[size++] = symbol;
        continue;
      }
      const lengthAt = symbol - 257;
      if (lengthAt >= LENGTH_BASE.length) malformed("length symbol");
      const length = LENGTH_BASE[lengthAt]! + reader.bits(LENGTH_EXTRA[lengthAt]!);
      const distanceAt = reader.symbol(distances);
      if (distanceAt >= DISTANCE_BASE.length) malformed("distance symbol");
      const distance = DISTANCE_BASE[distanceAt]! + reader.bits(DISTANCE_EXTRA[distanceAt]!);
      if (distance > size) malformed("distance before the start");
      grow(length);
      for (const end = size + length; size < end; size++) out[size] = out[size - distance]!;
    }
  }
  if (!reader.atEnd()) malformed("bytes after the end");
  return out.subarray(0, size);
}

/** The inflated bytes of a zlib stream (RFC 1950) of at most `maxBytes`; its Adler-32 is checked. */
export function inflateZlib(data: Uint8Array, maxBytes: number): Uint8Array {
  if (data.length < 7) malformed("zlib too short");
  const method = data[0]!;
  const flags = data[1]!;
  if ((method & 15) !== 8 || method >> 4 > 7 || (flags & 32) !== 0 || (method * 256 + flags) % 31 !== 0) malformed("zlib head");
  const out = inflateRaw(data.subarray(2, data.length - 4), maxBytes);
  let low = 1;
  let high = 0;
  for (let at = 0; at < out.length; ) {
    // 3800 bytes keep both sums below 2^32 (RFC 1950, 9: at most 5552).
    for (const end = Math.min(at + 3800, out.length); at < end; at++) {
      low += out[at]!;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  const sum = new DataView(data.buffer, data.byteOffset + data.length - 4, 4).getUint32(0);
  if (sum !== ((high << 16) | low) >>> 0) malformed("zlib checksum");
  return out;
}
