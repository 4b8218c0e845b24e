/** The full answer to "is this good?", in the shape that `POST /v1/verify` gives too. */
import type { JsonObject, JsonValue } from "./strictjson.ts";
import { isObject } from "./strictjson.ts";

export const WORDS = [
  "valid", "valid_offline", "suspended", "expired", "not_yet_effective", "superseded", "revoked", "withdrawn", "cancelled", "forged",
  "untrusted_issuer", "unknown", "bound_copy",
] as const;
export type Word = (typeof WORDS)[number];

export const OUTCOMES = ["passed", "failed", "unknown", "not_applicable", "warning"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Check {
  name: string;
  outcome: Outcome;
  /** Wire-stable reason, e.g. `bad_signature`, `live`, `snapshot`. */
  code: string;
}

export interface Names {
  zh: string;
  en: string;
}

export interface ShownHolder {
  name: string;
  code: string;
}

export interface ShownField {
  label: Names;
  value: string;
  /** `text`, `date`, `money`, `integer`: how the value is written for people. */
  kind: string;
}

/** For whom a copy was made, what for and until when (ISO moment). */
export interface MadeFor {
  agency: Names;
  purpose: string;
  until: string;
  useCode: string;
}

/** Masked public data; an empty text or list means not known. */
export interface Shown {
  identifier: string;
  type: Names | null;
  number: string;
  numberLabel: Names | null;
  agency: Names | null;
  holders: ShownHolder[];
  /** As on the face; a token does not carry it. */
  issuedOn: string;
  effectiveOn: string;
  /** ISO date, `""` when not known, null for long-term. */
  expiresOn: string | null;
  fields: ShownField[];
  checkPhrase: string;
  supersededBy: string;
  /** Null for a licence itself. */
  madeFor: MadeFor | null;
}

export interface Verdict {
  word: Word;
  kind: string;
  checks: Check[];
  fault: string;
  shown: Shown;
  /** ISO moment, or empty. */
  statusAsOf: string;
  statusSource: "live" | "snapshot" | "";
  /** Age of the trust pack's snapshot, whenever one was used. */
  snapshotAgeSeconds: number | null;
}

export function nothingShown(): Shown {
  return {
    identifier: "", type: null, number: "", numberLabel: null, agency: null, holders: [], issuedOn: "", effectiveOn: "", expiresOn: "",
    fields: [], checkPhrase: "", supersededBy: "", madeFor: null,
  };
}

/** A verdict that could not look at anything, and why. */
export function cannotTell(kind: string, fault: string, checks: Check[] = []): Verdict {
  return {
    word: "unknown", kind, checks, fault, shown: nothingShown(), statusAsOf: "", statusSource: "", snapshotAgeSeconds: null,
  };
}

const FORGED_BY = ["integrity_and_seal", "same_document", "same_as_record"];
const TERMINAL: readonly string[] = ["superseded", "revoked", "withdrawn", "cancelled"];

/**
 * The check that decides the word, or undefined when nothing speaks against the licence. First hit wins: not what the agency made,
 * key not trusted, a terminal status (it never comes back), something unknown that must be known, end date, suspension, start date,
 * a copy that was made for somebody else.
 */
export function decidingCheck(checks: readonly Check[]): Check | undefined {
  const failed = (fits: (check: Check) => boolean): Check | undefined => checks.find((check) => check.outcome === "failed" && fits(check));
  return (
    failed((check) => FORGED_BY.includes(check.name)) ??
    failed((check) => check.name === "issuer_trusted") ??
    failed((check) => check.name === "status" && TERMINAL.includes(check.code)) ??
    checks.find((check) => check.outcome === "unknown") ??
    failed((check) => check.code === "expired") ??
    failed((check) => check.name === "status") ??
    failed((check) => check.name !== "made_for") ??
    failed(() => true)
  );
}

/** The one word of these checks. Fails closed: without a good status and good dates it is never "valid". */
export function overallWord(checks: readonly Check[]): Word {
  const check = decidingCheck(checks);
  if (check === undefined || check.name === "made_for") {
    const good = (name: string): Check | undefined => checks.find((each) => each.name === name && each.outcome === "passed");
    const status = good("status");
    if (!status || !good("dates") || !good("integrity_and_seal") || !good("issuer_trusted")) return "unknown";
    if (check !== undefined) return check.outcome === "failed" ? "bound_copy" : "unknown";
    return status.code === "live" ? "valid" : "valid_offline";
  }
  if (check.outcome === "unknown") return "unknown";
  if (FORGED_BY.includes(check.name)) return "forged";
  if (check.name === "issuer_trusted") return "untrusted_issuer";
  return WORDS.find((word) => word === check.code) ?? "unknown";
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function namesOf(value: JsonValue | undefined): Names | null {
  if (!isObject(value)) return null;
  const [zh, en] = [text(value["zh"]), text(value["en"])];
  return zh || en ? { zh: zh || en, en: en || zh } : null;
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function madeForOf(value: JsonValue | undefined): MadeFor | null {
  if (!isObject(value)) return null;
  const code = isObject(value["agency"]) ? text(value["agency"]["code"]) : "";
  const agency = namesOf(value["agency"]) ?? { zh: code, en: code };
  return { agency, purpose: text(value["purpose"]), until: text(value["until"]), useCode: text(value["use_code"]) };
}

function shownOf(value: JsonObject, withIssueDay: boolean): Shown {
  return {
    identifier: text(value["identifier"]),
    type: namesOf(value["type"]),
    number: text(value["number"]),
    numberLabel: namesOf(value["number_label"]),
    agency: namesOf(value["agency"]),
    holders: objects(value["holders"]).map((holder) => ({ name: text(holder["name"]), code: text(holder["code"]) })),
    issuedOn: withIssueDay ? text(value["issued_on"]) : "",
    effectiveOn: text(value["effective_on"]),
    expiresOn: value["expires_on"] === null ? null : text(value["expires_on"]),
    fields: objects(value["fields"]).map((field) => ({
      label: namesOf(field["label"]) ?? { zh: text(field["name"]), en: text(field["name"]) },
      value: text(field["value"]),
      kind: text(field["kind"]) || "text",
    })),
    checkPhrase: text(value["check_phrase"]),
    supersededBy: text(value["superseded_by"]),
    madeFor: madeForOf(value["made_for"]),
  };
}

/** A verdict from the server's JSON, or null if it is none. An unknown word counts as "unknown", never as better. */
export function readVerdict(value: JsonValue, kind: string): Verdict | null {
  if (!isObject(value) || typeof value["word"] !== "string") return null;
  const word = WORDS.find((known) => known === value["word"]) ?? "unknown";
  const source = value["status_source"];
  return {
    word,
    kind: text(value["kind"]) || kind,
    checks: objects(value["checks"]).map((check) => ({
      name: text(check["name"]),
      outcome: OUTCOMES.find((known) => known === check["outcome"]) ?? "unknown",
      code: text(check["code"]),
    })),
    fault: text(value["fault"]),
    // Of a token or file it would be the day of signing, which is not printed and would only confuse.
    shown: shownOf(isObject(value["shown"]) ? value["shown"] : value, ["code", "identifier"].includes(text(value["kind"]) || kind)),
    statusAsOf: text(value["status_as_of"]),
    statusSource: source === "snapshot" ? "snapshot" : value["status_as_of"] ? "live" : "",
    snapshotAgeSeconds: typeof value["snapshot_age_seconds"] === "number" ? value["snapshot_age_seconds"] : null,
  };
}
