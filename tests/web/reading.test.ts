/** The readers below a token: digits, inflate, CBOR, JSON, base64url, signatures. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deflateRawSync, deflateSync, inflateRawSync } from "node:zlib";
import { fromBase64Url, toHex } from "../../api/web/src/bytes.ts";
import { readMap } from "../../api/web/src/cbor.ts";
import { bytesOfDigits, digitsOf, foldWidth } from "../../api/web/src/digits.ts";
import { VerificationError } from "../../api/web/src/faults.ts";
import { inflateRaw, inflateZlib } from "../../api/web/src/inflate.ts";
import { fileFault, typedInput } from "../../api/web/src/input.ts";
import { signatureFits } from "../../api/web/src/signatures.ts";
import { parseJson } from "../../api/web/src/strictjson.ts";
import { proquint } from "../../api/web/src/token.ts";

declare const REPOSITORY: string;

function faultOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    assert(error instanceof VerificationError, String(error));
    return error.fault;
  }
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

test("digits decode as docs/formats.md says", () => {
  const vectors = {
    "000": "00", "255": "ff", "00513": "0102", "01976943448883713": "01020304050607", "72057594037927935": "ffffffffffffff",
    "72057594037927935255": "ffffffffffffffff", "0169436464873497600591879": "00010203040506070809",
  };
  for (const [digits, hex] of Object.entries(vectors)) assert.equal(toHex(bytesOfDigits(digits)), hex, digits);
  for (const bad of ["256", "99999", "72057594037927936", "0".repeat(18), "", "1_0", "+01", " 12", "０１２", "1e2"]) {
    assert.equal(faultOf(() => bytesOfDigits(bad)), "malformed", bad);
  }
});

test("full-width digits are folded at the field and nowhere else", () => {
  const wide = "０".repeat(120);
  assert.equal(faultOf(() => digitsOf(wide)), "no_code");
  assert.equal(digitsOf(foldWidth(`ｈｔｔｐｓ＃${wide}`)), "0".repeat(120));
  assert.deepEqual(typedInput(`　ｈｔｔｐｓ：／／ｘ／ｑ＃${wide}`).kind, "token");
  assert.deepEqual(typedInput("７k２md－４xq９p"), { kind: "code", text: "7K2MD-4XQ9P" });
  assert.deepEqual(typedInput(" 1.2.156。3005.2.a "), { kind: "identifier", text: "1.2.156.3005.2.A" });
  assert.deepEqual(typedInput("  \u200b "), { kind: "empty" });
});

test("only the files that can be checked are sent", () => {
  assert.equal(fileFault({ name: "a.pdf", type: "", size: 5 }, 10), "");
  assert.equal(fileFault({ name: "a.docx", type: "application/x", size: 5 }, 10), "bad_file");
  assert.equal(fileFault({ name: "a.PNG", type: "image/png", size: 11 }, 10), "too_large");
});

test("inflate agrees with zlib on what zlib made, at every level and strategy", () => {
  let seed = 1;
  const random = (most: number): number => (seed = (seed * 48271) % 2147483647) % most;
  for (let round = 0; round < 300; round++) {
    const alphabet = 1 + random(200);
    const plain = Buffer.from(Array.from({ length: random(4096) }, () => random(alphabet)));
    const packed = deflateRawSync(plain, { level: random(10), strategy: random(5), memLevel: 1 + random(9) });
    assert.deepEqual(Buffer.from(inflateRaw(packed, 4096)), plain);
    assert.deepEqual(Buffer.from(inflateZlib(deflateSync(plain), 4096)), plain);
  }
});

test("inflate refuses a cut stream, bytes after its end and more than its cap", () => {
  const packed = deflateRawSync(Buffer.from("a licence is not a certificate, a licence is a licence"));
  for (let size = 0; size < packed.length; size++) assert.equal(faultOf(() => inflateRaw(packed.subarray(0, size), 4096)), "malformed");
  assert.equal(faultOf(() => inflateRaw(Buffer.concat([packed, Buffer.of(0)]), 4096)), "malformed");
  const bomb = deflateRawSync(Buffer.alloc(10_000_000, 97));
  assert.equal(faultOf(() => inflateRaw(bomb, 4096)), "too_large");
  assert.equal(inflateRaw(deflateRawSync(Buffer.alloc(4096)), 4096).length, 4096);
  assert.equal(faultOf(() => inflateRaw(deflateRawSync(Buffer.alloc(4097)), 4096)), "too_large");
});

test("inflate never accepts what zlib refuses, nor reads it otherwise", () => {
  const packed = deflateRawSync(Buffer.from("the quick brown fox jumps over the lazy dog, the lazy dog sleeps on"));
  for (let at = 0; at < packed.length * 8; at++) {
    const changed = Buffer.from(packed);
    changed[at >> 3]! ^= 1 << (at & 7);
    let expected: Buffer | null = null;
    try {
      expected = inflateRawSync(changed, { maxOutputLength: 4096 });
    } catch {
      // zlib refuses it
    }
    let found: Uint8Array | null = null;
    faultOf(() => (found = inflateRaw(changed, 4096)));
    if (found !== null) assert.deepEqual(Buffer.from(found), expected);
  }
});

test("zlib's head and checksum are checked", () => {
  const packed = deflateSync(Buffer.alloc(50_000, 7));
  assert.equal(inflateZlib(packed, 50_000).length, 50_000);
  for (const at of [0, 1, packed.length - 1]) {
    const changed = Buffer.from(packed);
    changed[at]! ^= 1;
    assert.equal(faultOf(() => inflateZlib(changed, 50_000)), "malformed", `byte ${at}`);
  }
});

test("CBOR: only the small part that tokens use", () => {
  assert.deepEqual([...readMap(bytes("a30102200361616162"))], [[1, 2], [-1, 3], ["a", "b"]]);
  assert.deepEqual([...readMap(bytes("a0"))], []);
  assert.equal(readMap(bytes("a1011b001fffffffffffff")).get(1), Number.MAX_SAFE_INTEGER);
  assert.equal(readMap(bytes("a1013b001ffffffffffffe")).get(1), -Number.MAX_SAFE_INTEGER);
  const bad = [
    "", "01", "a1", "a101", "a10102ff", "a1180102", "a201020103", "a202020102", "a1014100", "a1018100", "a101f6", "a101f90000", "a101c001",
    "bf0102ff", "a1017f6161ff", "a10162c328", "a1011b0020000000000000", "a1013b001fffffffffffff", "a1a001", "a101a101a101a101a101a0",
    "a1011c", "a1011f", "a1017bffffffffffffffff",
  ];
  for (const hex of bad) assert.equal(faultOf(() => readMap(bytes(hex))), "malformed", hex);
});

test("JSON: no member twice, no lone surrogate, no deep nesting, nothing after it", () => {
  const good = ' {"a":[1,-2.5e3,true,false,null,"\\u4e2d\\n\\ud83d\\ude00"],"":{}} ';
  assert.equal(JSON.stringify(parseJson(good)), JSON.stringify(JSON.parse(good)));
  assert.equal(Object.keys(parseJson('{"__proto__":1}') as object)[0], "__proto__");
  const bad = [
    "", "{", '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', "[1,]", "{,}", "01", "1.", "NaN", "Infinity", "1e999", "'a'", '"\\ud800"', '"\\x"', '"\n"', "[1] 2",
    "tru", "[".repeat(40) + "]".repeat(40), '{"a" 1}', "+1", '"\\u12"', "\ufeff1",
  ];
  for (const text of bad) assert.equal(faultOf(() => parseJson(text)), "malformed", text);
});

test("base64url is exact", () => {
  assert.equal(toHex(fromBase64Url("-_8")), "fbff");
  for (const bad of ["A", "AA=", "A+", "A/", "AB", "AAB", " AA"]) assert.equal(faultOf(() => fromBase64Url(bad)), "malformed", bad);
});

test("a proquint is two consonant-vowel pairs and a consonant", () => {
  assert.equal(`${proquint(0x7f00)}-${proquint(0x0001)}`, "lusab-babad");
});

const wycheproof = join(REPOSITORY, "..", "shared", "vectors", "wycheproof-ecdsa-p256-p1363.json");
test("ES256 agrees with the public vectors", { skip: existsSync(wycheproof) ? false : "the shared vectors are not here" }, () => {
  interface Group {
    publicKey: { uncompressed: string };
    tests: { tcId: number; msg: string; sig: string; result: string }[];
  }
  const { testGroups } = JSON.parse(readFileSync(wycheproof, "utf8")) as { testGroups: Group[] };
  let count = 0;
  for (const group of testGroups) {
    for (const each of group.tests) {
      const fits = signatureFits(bytes(each.sig), bytes(each.msg), bytes(group.publicKey.uncompressed));
      assert.equal(fits, each.result === "valid", `case ${each.tcId}`);
      count++;
    }
  }
  assert(count > 200);
});
