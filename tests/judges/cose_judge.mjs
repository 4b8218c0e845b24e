// An independent judge of tokens: @auth0/cose and cbor-x, none of our code.
// Reads one JSON request a line and answers each with one JSON line.
//   {"op": "verify", "cose": hex, "spki": hex}  -> {"ok": true, "protected": [[k, v]...], "claims": [[k, v]...]} | {"ok": false, "error": text}
//   {"op": "sign", "claims": [[k, v]...]}        -> {"cose": hex, "spki": hex}, signed with a key made here
// Maps are lists of pairs on this wire, byte strings {"hex": ...}.
import { createHash, webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Algorithms, Headers, ProtectedHeaders, Sign1, UnprotectedHeaders } from "@auth0/cose";
import { Decoder, Encoder } from "cbor-x";

const { subtle } = webcrypto;
const ES256 = { name: "ECDSA", namedCurve: "P-256" };
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
const encoder = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });

const wire = (value) => {
  if (value instanceof Map) return [...value].map(([key, inner]) => [key, wire(inner)]);
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  return value;
};
const map = (pairs) => new Map(pairs.map(([key, value]) => [key, Array.isArray(value) ? map(value) : value]));

async function verify({ cose, spki }) {
  try {
    const key = await subtle.importKey("spki", Buffer.from(spki, "hex"), ES256, true, ["verify"]);
    const message = Sign1.decode(Buffer.from(cose, "hex"));
    await message.verify(key, { algorithms: [Algorithms.ES256] });
    const claims = decoder.decode(inflateRawSync(message.payload, { maxOutputLength: 4096 }));
    return { ok: true, protected: wire(message.protectedHeaders), claims: wire(claims) };
  } catch (error) {
    return { ok: false, error: String(error) };
  }
}

async function sign({ claims }) {
  const pair = await subtle.generateKey(ES256, true, ["sign", "verify"]);
  const spki = Buffer.from(await subtle.exportKey("spki", pair.publicKey));
  const kid = createHash("sha256").update(spki).digest().subarray(0, 8);
  const payload = deflateRawSync(encoder.encode(map(claims)), { level: 9 });
  const header = new ProtectedHeaders([[Headers.Algorithm, Algorithms.ES256], [Headers.KeyID, new Uint8Array(kid)]]);
  const message = await Sign1.sign(header, new UnprotectedHeaders([]), new Uint8Array(payload), pair.privateKey);
  return { cose: Buffer.from(message.encode()).toString("hex"), spki: spki.toString("hex") };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = request.op === "sign" ? await sign(request) : await verify(request);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
