/** A token judged with a trust pack alone, without any network (plan of the verdict: key, dates, status). */
import { bytesOfDigits, digitsOf } from "./digits.ts";
import { VerificationError } from "./faults.ts";
import { snapshotStatus } from "./status.ts";
import { type JsonObject, type JsonValue, isObject } from "./strictjson.ts";
import { type TokenClaims, type VerifiedToken, readCose, verifyToken } from "./token.ts";
import type { TrustPack } from "./trust.ts";
import { type Check, type Names, type Shown, type Verdict, cannotTell, decidingCheck, namesOf, nothingShown, overallWord } from "./verdict.ts";

/** Faults that mean: the key does not vouch for it. */
const ISSUER_FAULTS = new Set(["unknown_key", "wrong_key", "key_withdrawn", "expired_certificate", "untrusted_issuer"]);
/** Faults that mean: this is not what an agency made. All others leave it unknown. */
const INTEGRITY_FAULTS = new Set(["bad_signature"]);
/** How far this device's clock may be off at the ends of a period. */
const CLOCK_TOLERANCE_SECONDS = 60;

const FIELD_TYPE = 1;
const FIELD_NUMBER = 2;
const FIELD_HOLDER_NAME = 3;
const FIELD_HOLDER_CODE = 6;
const FIELD_AGENCY_NAME = 7;
const FIRST_TYPE_FIELD = 10;

/** What the page knows to judge with. */
export interface Knowledge {
  /** The newest trust pack that could be opened, or null. */
  pack: TrustPack | null;
  /** Why there is no pack: `no_trust` when none was ever fetched. */
  packFault: string;
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(value) && name in value ? value[name] : undefined;
}

function faultOf(error: unknown): string {
  if (error instanceof VerificationError) return error.fault;
  throw error;
}

/** The day of a moment in the agency's zone, ISO; an unknown zone falls back to UTC. */
export function dayIn(seconds: number, zone: string): string {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone } as const;
  const moment = new Date(seconds * 1000);
  try {
    return new Intl.DateTimeFormat("en-CA", options).format(moment);
  } catch {
    return moment.toISOString().slice(0, 10);
  }
}

function shownOf(token: VerifiedToken, body: JsonObject): Shown {
  const { claims } = token;
  const get = (key: number): string => String(claims.fields.get(key) ?? "");
  const agency = member(body["agencies"], token.key.owner);
  const type = member(body["types"], get(FIELD_TYPE));
  const zone = String(member(agency, "timezone") ?? "UTC");
  const own = get(FIELD_AGENCY_NAME);
  const fields = [...claims.fields]
    .filter(([key]) => key >= FIRST_TYPE_FIELD)
    .map(([key, value]) => {
      const entry = member(member(type, "fields"), String(key));
      const known: Names | null = namesOf(entry);
      const kind = String(member(entry, "kind") ?? "text");
      return { label: known ?? { zh: `第 ${key} 项`, en: `Field ${key}` }, value: String(value), kind };
    });
  const { audience } = claims;
  const asker = audience === null ? null : (namesOf(member(body["agencies"], audience.code)) ?? { zh: audience.code, en: audience.code });
  const copy = audience !== null && asker !== null && claims.expiresAt !== null;
  const holder = { name: get(FIELD_HOLDER_NAME), code: get(FIELD_HOLDER_CODE) };
  return {
    ...nothingShown(),
    identifier: claims.identifier,
    type: namesOf(type),
    number: get(FIELD_NUMBER),
    numberLabel: namesOf(member(type, "number")),
    agency: namesOf(agency) ?? (own ? { zh: own, en: own } : null),
    // What a copy does not say is not known; its end is not the licence's.
    holders: copy && holder.name === "" && holder.code === "" ? [] : [holder],
    effectiveOn: claims.notBefore === null ? "" : dayIn(claims.notBefore, zone),
    expiresOn: copy ? "" : claims.expiresAt === null ? null : dayIn(claims.expiresAt, zone),
    fields,
    checkPhrase: token.checkPhrase,
    madeFor: !copy
      ? null
      : {
          agency: asker, purpose: audience.purpose, useCode: audience.reference,
          until: new Date((claims.expiresAt ?? 0) * 1000).toISOString(),
        },
  };
}

/** The agency segment of an identifier `root.type.agency.serial.version.check`, or empty; the rest of it is not judged here. */
function agencyIn(identifier: string): string {
  const parts = identifier.split(".");
  return parts.length > 5 ? (parts[parts.length - 4] ?? "") : "";
}

/** Empty if the key is of the identifier's agency, which is in the pack and, where the pack says so, may issue this type. */
function issuerFault(token: VerifiedToken, body: JsonObject): string {
  const owner = token.key.owner;
  if (agencyIn(token.claims.identifier) !== owner) return "another_agency";
  if (!isObject(member(body["agencies"], owner))) return "untrusted_issuer";
  const allowed = member(member(body["types"], String(token.claims.fields.get(FIELD_TYPE) ?? "")), "agencies");
  const may = allowed === undefined || (Array.isArray(allowed) && allowed.includes(owner));
  return may ? "" : "untrusted_issuer";
}

function datesCheck(claims: TokenClaims, nowSeconds: number): Check {
  // The end date is inclusive, and claim 4 is its last second.
  const late = claims.expiresAt !== null && nowSeconds - CLOCK_TOLERANCE_SECONDS > claims.expiresAt;
  const early = claims.notBefore !== null && nowSeconds + CLOCK_TOLERANCE_SECONDS < claims.notBefore;
  const code = late ? "expired" : early ? "not_yet_effective" : "in_force";
  return { name: "dates", outcome: late || early ? "failed" : "passed", code };
}

function shapeFault(typed: string): string {
  try {
    readCose(bytesOfDigits(digitsOf(typed)));
    return "";
  } catch (error) {
    return faultOf(error);
  }
}

function statusCheck(claims: TokenClaims, pack: TrustPack, nowSeconds: number): { check: Check; asOf: string } {
  try {
    const { status, asOf } = snapshotStatus(pack.body, claims.statusUri, claims.statusIndex);
    if (asOf > nowSeconds + CLOCK_TOLERANCE_SECONDS) throw new VerificationError("not_yet_valid", "status list");
    const check: Check = { name: "status", outcome: status === "active" ? "passed" : "failed", code: status === "active" ? "snapshot" : status };
    return { check, asOf: new Date(asOf * 1000).toISOString() };
  } catch (error) {
    return { check: { name: "status", outcome: "unknown", code: faultOf(error) }, asOf: "" };
  }
}

/** The verdict on a scanned token from what the page has. Never `valid`: that takes a live answer. */
export function judgeOffline(typed: string, knowledge: Knowledge, nowSeconds: number): Verdict {
  const { pack } = knowledge;
  if (pack === null) return refused(shapeFault(typed) || knowledge.packFault || "no_trust");
  let token: VerifiedToken;
  try {
    token = verifyToken(typed, pack, nowSeconds);
  } catch (error) {
    return refused(faultOf(error));
  }
  const { claims } = token;
  const stale = nowSeconds > pack.nextUpdate;
  const untrusted = issuerFault(token, pack.body);
  const { check: status, asOf } = statusCheck(claims, pack, nowSeconds);
  const checks: Check[] = [
    { name: "integrity_and_seal", outcome: "passed", code: "signature_fits" },
    {
      name: "issuer_trusted",
      outcome: untrusted ? "failed" : stale ? "unknown" : "passed",
      code: untrusted ? untrusted : stale ? "stale_trust" : "trusted",
    },
    datesCheck(claims, nowSeconds),
    status,
    // The page has no bearer: to it, every copy was made for somebody else.
    ...(claims.audience === null ? [] : [{ name: "made_for", outcome: "failed" as const, code: "made_for_another" }]),
  ];
  const word = overallWord(checks);
  return {
    kind: "token", word, checks,
    shown: shownOf(token, pack.body),
    fault: word === "valid_offline" ? "" : (decidingCheck(checks)?.code ?? ""),
    statusAsOf: asOf,
    statusSource: asOf === "" ? "" : "snapshot",
    snapshotAgeSeconds: asOf === "" ? null : Math.max(0, nowSeconds - Math.floor(Date.parse(asOf) / 1000)),
  };
}

function refused(fault: string): Verdict {
  const issuer = ISSUER_FAULTS.has(fault);
  const integrity = INTEGRITY_FAULTS.has(fault);
  const checks: Check[] = [
    { name: issuer ? "issuer_trusted" : "integrity_and_seal", outcome: issuer || integrity ? "failed" : "unknown", code: fault },
  ];
  return { ...cannotTell("token", fault, checks), word: overallWord(checks) };
}
