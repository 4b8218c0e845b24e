/** Tokens, trust packs and verdicts, beside what the library's own code says of the same bytes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fromBase64Url } from "../../api/web/src/bytes.ts";
import { VerificationError } from "../../api/web/src/faults.ts";
import { type Answer, fitsMask, withLive, worthAsking } from "../../api/web/src/live.ts";
import { judgeOffline } from "../../api/web/src/offline.ts";
import { LANGUAGES, TEXTS } from "../../api/web/src/texts.ts";
import { verifyToken } from "../../api/web/src/token.ts";
import { type TrustPack, openPack } from "../../api/web/src/trust.ts";
import { explained, valueText } from "../../api/web/src/view.ts";
import { type Verdict, WORDS, type Word, cannotTell, readVerdict } from "../../api/web/src/verdict.ts";

declare const REPOSITORY: string;

interface Vectors {
  now: number;
  anchor: string;
  pack: string;
  withdrawn_pack: string;
  no_agency_pack: string;
  tokens: { name: string; text: string; fault: string; phrase: string }[];
  packs: { name: string; text: string; fault: string }[];
  verdicts: Record<string, string>;
}

const own = join(REPOSITORY, ".venv", "bin", "python");
const python = process.env["PYTHON"] ?? (existsSync(own) ? own : "python3");
const vectors = JSON.parse(
  execFileSync(python, ["-m", "tests.web.make_vectors"], { cwd: REPOSITORY, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }),
) as Vectors;
const anchor = fromBase64Url(vectors.anchor);
const open = (text: string): TrustPack => openPack(text, anchor, vectors.now, 0);
const pack = open(vectors.pack);

function faultOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    assert(error instanceof VerificationError, String(error));
    return error.fault;
  }
}

for (const each of vectors.tokens) {
  test(`token: ${each.name}`, () => {
    assert.equal(faultOf(() => verifyToken(each.text, pack, vectors.now)), each.fault);
    if (each.fault === "") assert.equal(verifyToken(each.text, pack, vectors.now).checkPhrase, each.phrase);
  });
}

for (const each of vectors.packs) {
  test(`trust pack: ${each.name}`, () => {
    assert.equal(faultOf(() => openPack(each.text, anchor, vectors.now, 4)), each.fault);
  });
}

function judged(name: string, trust: TrustPack | null = pack, now = vectors.now): Verdict {
  return judgeOffline(vectors.verdicts[name] ?? name, { pack: trust, packFault: trust === null ? "no_trust" : "" }, now);
}

test("each stored status and each date gives its word offline", () => {
  const expected: Record<string, [Word, string]> = {
    valid: ["valid_offline", ""], expired: ["expired", "expired"], not_yet_effective: ["not_yet_effective", "not_yet_effective"],
    suspended: ["suspended", "suspended"], cancelled: ["cancelled", "cancelled"], withdrawn: ["withdrawn", "withdrawn"],
    revoked: ["revoked", "revoked"], superseded: ["superseded", "superseded"],
    another_agency: ["untrusted_issuer", "another_agency"], no_list: ["unknown", "no_status_list"], no_entry: ["unknown", "no_such_entry"],
  };
  for (const [name, [word, fault]] of Object.entries(expected)) {
    const verdict = judged(name);
    assert.deepEqual([verdict.word, verdict.fault], [word, fault], name);
  }
});

test("what it shows comes from the token and the pack's names", () => {
  const { shown, snapshotAgeSeconds, statusSource } = judged("valid");
  assert.equal(shown.number, "JY13302000012345");
  assert.deepEqual(shown.type, { zh: "食品经营许可证", en: "Food licence" });
  assert.equal(shown.agency?.zh, "明州市市场监督管理局");
  assert.equal(shown.effectiveOn, "2026-11-22"); // 16:00 UTC of the 21st is the 22nd in the agency's zone
  assert.match(shown.checkPhrase, /^[a-z]{5}-[a-z]{5}$/);
  assert.deepEqual([snapshotAgeSeconds, statusSource], [3 * 3600, "snapshot"]);
});

test("the end date is inclusive in the agency's zone, and the clock may be a minute off", () => {
  const token = vectors.verdicts["valid"]!;
  const end = verifyToken(token, pack, vectors.now).claims.expiresAt!;
  const later = { ...pack, nextUpdate: end + 1000 };
  assert.equal(judged(token, later, end).word, "valid_offline");
  assert.equal(judged(token, later, end + 60).word, "valid_offline");
  assert.equal(judged(token, later, end + 61).word, "expired");
});

test("fails closed: without trust, with stale trust, with a withdrawn key, with an agency the pack does not name", () => {
  assert.deepEqual([judged("valid", null).word, judged("valid", null).fault], ["unknown", "no_trust"]);
  assert.deepEqual([judged("hello", null).word, judged("hello", null).fault], ["unknown", "no_code"]);
  const stale = { ...pack, nextUpdate: vectors.now - 1 };
  assert.deepEqual([judged("valid", stale).word, judged("valid", stale).fault], ["unknown", "stale_trust"]);
  assert.equal(judged("revoked", stale).word, "revoked");
  assert.deepEqual([judged("valid", open(vectors.withdrawn_pack)).word, judged("valid", open(vectors.withdrawn_pack)).fault], ["untrusted_issuer", "key_withdrawn"]);
  assert.equal(judged("valid", open(vectors.no_agency_pack)).word, "untrusted_issuer");
  const forged = vectors.tokens.find((each) => each.name === "flipped payload byte")!;
  assert.equal(judged(forged.text).word, "forged");
  assert.equal(judged(vectors.tokens.find((each) => each.name === "unknown kid")!.text).word, "untrusted_issuer");
  assert.equal(judged(vectors.tokens.find((each) => each.name === "cut inside a group")!.text).word, "unknown");
});

function answer(verdict: Verdict, changes: Record<string, unknown>): Answer {
  const { shown } = verdict;
  const json = {
    word: "valid", identifier: shown.identifier, number: shown.number, effective_on: shown.effectiveOn, expires_on: shown.expiresOn,
    status_as_of: "2026-11-22T12:00:00Z", status_source: "live", ...changes,
  };
  return { verdict: readVerdict(json, "identifier")!, fault: "" };
}

test("the register's word wins over the snapshot's", () => {
  const own = judged("valid");
  for (const word of WORDS.filter((each) => !["forged", "untrusted_issuer", "unknown", "valid_offline", "bound_copy"].includes(each))) {
    assert.equal(withLive(own, answer(own, { word })).word, word);
  }
  assert.equal(withLive(judged("suspended"), answer(judged("suspended"), {})).word, "valid", "restored since");
  assert.equal(withLive(judged("no_list"), answer(judged("no_list"), {})).word, "valid");
  assert.equal(withLive(own, answer(own, { word: "brand_new_word" })).word, "unknown");
  const live = withLive(own, answer(own, {}));
  assert.deepEqual([live.statusSource, live.fault, live.shown.checkPhrase], ["live", "", own.shown.checkPhrase]);
});

test("a good register does not mend bad trust, and a record that differs is not this licence", () => {
  const stale = judged("valid", { ...pack, nextUpdate: vectors.now - 1 });
  assert.deepEqual([withLive(stale, answer(stale, {})).word, withLive(stale, answer(stale, {})).fault], ["unknown", "stale_trust"]);
  assert.equal(withLive(stale, answer(stale, { word: "revoked" })).word, "revoked");
  const own = judged("valid");
  for (const changes of [{ number: "JY13302000012346" }, { identifier: "1.2.3" }, { expires_on: null }, { effective_on: "2026-11-23" }]) {
    const verdict = withLive(own, answer(own, changes));
    assert.deepEqual([verdict.word, verdict.fault], ["forged", "differs_from_record"], JSON.stringify(changes));
  }
  assert.equal(withLive(own, answer(own, { number: "J**************5" })).word, "valid");
  const missing = withLive(own, { verdict: null, fault: "not_found", retryAfterSeconds: 0 });
  assert.deepEqual([missing.word, missing.fault], ["unknown", "not_on_record"]);
  for (const fault of ["offline", "busy", "server"] as const) {
    assert.equal(withLive(own, { verdict: null, fault, retryAfterSeconds: 0 }).word, "valid_offline");
  }
});

test("the register is asked only about tokens that are genuine", () => {
  assert(worthAsking(judged("valid")) && worthAsking(judged("revoked")) && worthAsking(judged("no_list")));
  assert(!worthAsking(judged("hello")) && !worthAsking(cannotTell("token", "no_trust")));
  assert(!worthAsking(judged("valid", open(vectors.no_agency_pack))));
});

interface Vector {
  name: string;
  head: Record<string, string>;
  body: string;
}

/** The token vectors that library, HTTP and command line are judged by too. */
function tokenVectors(): Vector[] {
  return readdirSync(join(REPOSITORY, "tests", "vectors"))
    .filter((name) => name.endsWith(".vector"))
    .map((name) => {
      const text = readFileSync(join(REPOSITORY, "tests", "vectors", name), "latin1");
      const end = text.indexOf("\n\n");
      const lines = text.slice(0, end).split("\n").map((line) => line.split(/: (.*)/s) as [string, string]);
      return { name, head: Object.fromEntries(lines), body: text.slice(end + 2) };
    })
    .filter(({ head }) => head["kind"] === "token" && head["input"] === "text");
}

const read = (name: string): string => readFileSync(join(REPOSITORY, "tests", "vectors", name), "utf8");
const worldAnchor = fromBase64Url((JSON.parse(read("trust-anchor.json")) as { spki: string }).spki);
const inToken = ["malformed", "bad_signature", "too_large", "unknown_key", "wrong_key", "key_withdrawn", "expired_certificate", "not_yet_valid", "another_agency"];

for (const { name, head, body } of tokenVectors()) {
  const offline = head["source"] === "offline";
  if (!offline && !inToken.includes(head["fault"] ?? "")) continue; // that one is about the record
  test(`vector ${name}`, () => {
    const now = Date.parse(head["at"] ?? "") / 1000;
    const known = { pack: openPack(read("trust-pack.json"), worldAnchor, now, 0), packFault: "" };
    const verdict = judgeOffline(body, known, now);
    assert.deepEqual([verdict.word, verdict.fault], [head["expect"], head["fault"] ?? ""]);
  });
}

test("a copy is for its asker alone: never valid here, and no worse word is hidden", () => {
  const words = { copy: "bound_copy", copy_past: "expired", copy_revoked: "revoked", copy_no_list: "unknown", copy_no_number: "bound_copy" };
  for (const [name, word] of Object.entries(words)) assert.equal(judged(name).word, word, name);
  const own = judged("copy");
  assert.equal(own.fault, "made_for_another");
  assert.deepEqual(own.shown.madeFor?.purpose, "子女入学");
  assert.match(own.shown.madeFor?.agency.en ?? "", /^Agency /);
  assert.deepEqual([own.shown.expiresOn, own.shown.holders], ["", []], "what it does not say is not known");
  const live = { number: own.shown.number, effective_on: own.shown.effectiveOn, expires_on: null };
  assert.equal(withLive(own, answer(own, live)).word, "bound_copy", "the register knows the licence, not the copy");
  assert.equal(withLive(own, answer(own, { ...live, number: "JY13302000012346" })).word, "forged");
  assert.equal(withLive(own, answer(own, { ...live, expires_on: "2030-01-01" })).word, "bound_copy");
  for (const word of ["revoked", "suspended", "expired", "not_yet_effective"]) {
    assert.equal(withLive(own, answer(own, { ...live, word })).word, word);
  }
  const past = judged("copy_past");
  const since = { effective_on: past.shown.effectiveOn, expires_on: null };
  assert.equal(withLive(past, answer(past, since)).word, "expired", "its own end stands");
  assert.equal(withLive(past, answer(past, { ...since, word: "revoked" })).word, "revoked");
  const bare = judged("copy_no_number");
  assert.equal(withLive(bare, answer(bare, { number: "J**************5", effective_on: "2026-11-22", expires_on: null })).word, "bound_copy");
  assert.equal(withLive(own, { verdict: null, fault: "not_found", retryAfterSeconds: 0 }).word, "unknown");
  assert.equal(withLive(own, { verdict: null, fault: "offline", retryAfterSeconds: 0 }).word, "bound_copy");
  const stale = judged("copy", { ...pack, nextUpdate: vectors.now - 1 });
  assert.equal(stale.word, "unknown");
});

test("the advice on a copy names whom it was made for", () => {
  const own = judged("copy");
  assert.match(explained(own, TEXTS.en).next, /^It was made for Agency .*, not for you/);
  assert.match(explained(own, TEXTS.zh).next, /只供.+使用，不是给你的/);
  assert.equal(explained(judged("copy_past"), TEXTS.en).meaning, TEXTS.en.expiredCopy.meaning);
  assert.equal(explained(judged("expired"), TEXTS.en).meaning, TEXTS.en.words.expired.meaning);
});

test("a copy judged by the server keeps whom it is for", () => {
  const made = { agency: { code: "CITY", zh: "", en: "" }, purpose: "school", until: "2026-12-31T15:59:59Z", use_code: "7K2M" };
  const verdict = readVerdict({ word: "bound_copy", kind: "pdf", fault: "made_for_another", checks: [], shown: { identifier: "1.2", made_for: made } }, "pdf")!;
  assert.equal(verdict.word, "bound_copy");
  assert.deepEqual(verdict.shown.madeFor, { agency: { zh: "CITY", en: "CITY" }, purpose: "school", until: made.until, useCode: "7K2M" });
});

test("values are written for people, and the unusual ones stay as they are", () => {
  const texts = TEXTS.en;
  assert.equal(valueText("1680000.00", "money", texts), "1,680,000.00");
  assert.equal(valueText("999", "integer", texts), "999");
  assert.equal(valueText("0012345", "text", texts), "0012345");
  assert.equal(valueText("about 5000", "money", texts), "about 5000");
  assert.equal(valueText("2026-11-22", "date", texts), "22 November 2026");
});

test("a mask fits only what it could hide", () => {
  assert(fitsMask("J**5", "JY15") && fitsMask("张*", "张三") && !fitsMask("J**5", "JY16") && !fitsMask("J*5", "JY15"));
});

test("every word has its own text and next step in both languages", () => {
  for (const language of LANGUAGES) {
    const texts = TEXTS[language];
    for (const part of ["title", "meaning", "next"] as const) {
      const all = WORDS.map((word) => texts.words[word][part]);
      assert(all.every((text) => text.length > 1));
      if (part !== "next") assert.equal(new Set(all).size, WORDS.length);
    }
    assert.deepEqual(Object.keys(texts.causes).sort(), Object.keys(TEXTS.en.causes).sort());
    assert.deepEqual(Object.keys(texts.checks.codes).sort(), Object.keys(TEXTS.en.checks.codes).sort());
    for (const { fault } of [...vectors.tokens, ...vectors.packs]) if (fault !== "") assert(texts.causes[fault], `${language}: ${fault}`);
  }
});

test("any text gives a verdict, never an exception", () => {
  let seed = 7;
  const random = (most: number): number => (seed = (seed * 48271) % 2147483647) % most;
  const good = vectors.verdicts["valid"]!;
  for (let round = 0; round < 400; round++) {
    const at = good.indexOf("#") + 1 + random(600);
    const text = good.slice(0, at) + String(random(10)) + good.slice(at + random(3));
    const verdict = judged(text);
    assert(!["valid", "valid_offline"].includes(verdict.word) || text === good, text);
  }
});
