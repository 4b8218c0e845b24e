/** The small part of CBOR that a token's payload may use, read strictly (docs/formats.md, 1.4; RFC 8949, 4.2.1). */
import { fromUtf8 } from "./bytes.ts";
import { malformed } from "./faults.ts";

export type CborValue = number | string | CborMap;
export type CborMap = Map<number | string, CborValue>;

const MAX_DEPTH = 4;
const MAJOR_UNSIGNED = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_TEXT = 3;
const MAJOR_MAP = 5;

class Reader {
  at = 0;
  private readonly view: DataView;

  constructor(readonly data: Uint8Array) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  take(size: number): number {
    const start = this.at;
    if (size > this.data.length - start) malformed("CBOR cut short");
    this.at = start + size;
    return start;
  }

  /** Major type and argument of the next head, which must be in its shortest form. */
  head(): [major: number, argument: number] {
    const first = this.data[this.take(1)]!;
    const short = first & 31;
    if (short < 24) return [first >> 5, short];
    if (short > 27) malformed("CBOR indefinite or reserved");
    const size = 1 << (short - 24);
    const start = this.take(size);
    let value: number;
    let least: number;
    if (size === 1) [value, least] = [this.view.getUint8(start), 24];
    else if (size === 2) [value, least] = [this.view.getUint16(start), 0x100];
    else if (size === 4) [value, least] = [this.view.getUint32(start), 0x1_0000];
    else [value, least] = [this.view.getUint32(start) * 0x1_0000_0000 + this.view.getUint32(start + 4), 0x1_0000_0000];
    if (value < least) malformed("CBOR head not shortest");
    return [first >> 5, value];
  }

  integer(major: number, argument: number): number {
    const limit = major === MAJOR_NEGATIVE ? Number.MAX_SAFE_INTEGER : Number.MAX_SAFE_INTEGER + 1;
    // ±(2^53 - 1): the negative is -1 - argument.
    if (argument >= limit) malformed("CBOR integer too large");
    return major === MAJOR_NEGATIVE ? -1 - argument : argument;
  }

  value(depth: number): CborValue {
    const [major, argument] = this.head();
    if (major === MAJOR_UNSIGNED || major === MAJOR_NEGATIVE) return this.integer(major, argument);
    if (major === MAJOR_TEXT) {
      const start = this.take(argument);
      return fromUtf8(this.data.subarray(start, start + argument));
    }
    if (major !== MAJOR_MAP) malformed("CBOR type not used in tokens");
    if (depth >= MAX_DEPTH) malformed("CBOR too deep");
    const map: CborMap = new Map();
    let before: Uint8Array | null = null;
    for (let i = 0; i < argument; i++) {
      const start = this.at;
      const key = this.value(MAX_DEPTH);
      if (typeof key === "object") malformed("CBOR key");
      const encoded = this.data.subarray(start, this.at);
      if (before !== null && !ascending(before, encoded)) malformed("CBOR key order");
      before = encoded;
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}

function ascending(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return a.length < b.length;
}

/** The one map that `data` is, with nothing after it. */
export function readMap(data: Uint8Array): CborMap {
  const reader = new Reader(data);
  const value = reader.value(0);
  if (typeof value !== "object") malformed("CBOR is no map");
  if (reader.at !== data.length) malformed("bytes after CBOR");
  return value;
}
