// An independent judge of status lists: @sd-jwt/jwt-status-list, @auth0/cose, cbor-x and WebCrypto, none of our code.
// Reads one JSON request a line and answers each with one JSON line.
//   {"op": "jwt", "text": jwt, "spki": hex}  -> {"ok": true, "header": {}, "claims": {}, "size": n, "entries": [[i, v]...]} | {"ok": false}
//   {"op": "cwt", "hex": hex, "spki": hex}   -> the same; header and claims as lists of pairs
//   {"op": "make", "entries": [v...], "bits": n} -> {"lst": text}, a list that the other library packed
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import { inflateSync } from "node:zlib";
import { Algorithms, Sign1 } from "@auth0/cose";
import { StatusList, getListFromStatusListJWT } from "@sd-jwt/jwt-status-list";
import { Decoder } from "cbor-x";

const { subtle } = webcrypto;
const ES256 = { name: "ECDSA", namedCurve: "P-256" };
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
const keyOf = (spki) => subtle.importKey("spki", Buffer.from(spki, "hex"), ES256, true, ["verify"]);
const notZero = (list) => {
  const entries = [];
  for (let index = 0; index < list.totalStatuses; index++) if (list.getStatus(index)) entries.push([index, list.getStatus(index)]);
  return entries;
};
const wire = (value) => {
  if (value instanceof Map) return [...value].map(([key, inner]) => [key, wire(inner)]);
  return value instanceof Uint8Array ? { hex: Buffer.from(value).toString("hex") } : value;
};

async function jwt({ text, spki }) {
  const [head, body, signature] = text.split(".");
  const covered = Buffer.from(`${head}.${body}`);
  const fits = await subtle.verify({ name: "ECDSA", hash: "SHA-256" }, await keyOf(spki), Buffer.from(signature, "base64url"), covered);
  if (!fits) return { ok: false };
  const list = getListFromStatusListJWT(text);
  const [header, claims] = [head, body].map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
  return { ok: true, header, claims, size: list.totalStatuses, entries: notZero(list) };
}

async function cwt({ hex, spki }) {
  const message = Sign1.decode(Buffer.from(hex, "hex"));
  await message.verify(await keyOf(spki), { algorithms: [Algorithms.ES256] });
  const claims = decoder.decode(message.payload);
  const packed = claims.get(65533);
  const list = new StatusList(StatusList.decodeStatusList(inflateSync(packed.get("lst")), packed.get("bits")), packed.get("bits"));
  return { ok: true, header: wire(message.protectedHeaders), claims: wire(claims), size: list.totalStatuses, entries: notZero(list) };
}

const make = ({ entries, bits }) => ({ lst: new StatusList(entries, bits).compressStatusList() });

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = await { jwt, cwt, make }[request.op](request);
  } catch (error) {
    answer = { ok: false, error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
