/** What the server says now, and how it changes what the page found by itself. */
import { parseJson } from "./strictjson.ts";
import { type Check, type Verdict, decidingCheck, overallWord, readVerdict } from "./verdict.ts";

/** Either a verdict, or one cause why there is none. */
export type Answer =
  | { verdict: Verdict; fault: "" }
  | { verdict: null; fault: "not_found" | "offline" | "busy" | "server" | "too_large" | "bad_input"; retryAfterSeconds: number };

const FAULT_OF_HTTP: ReadonlyMap<number, "not_found" | "busy" | "too_large" | "bad_input"> = new Map([
  [404, "not_found"], [413, "too_large"], [422, "bad_input"], [400, "bad_input"], [415, "bad_input"], [429, "busy"],
]);
const STATUS_WORDS: readonly string[] = ["suspended", "superseded", "revoked", "withdrawn", "cancelled"];

async function ask(path: string, init: RequestInit, kind: string, timeoutSeconds: number): Promise<Answer> {
  const timer = new AbortController();
  const running = setTimeout(() => timer.abort(), timeoutSeconds * 1000);
  try {
    const response = await fetch(path, { ...init, signal: timer.signal, credentials: "omit", referrerPolicy: "no-referrer" });
    if (response.ok) {
      const verdict = readVerdict(parseJson(await response.text()), kind);
      return verdict === null ? { verdict, fault: "server", retryAfterSeconds: 0 } : { verdict, fault: "" };
    }
    const fault = FAULT_OF_HTTP.get(response.status) ?? "server";
    return { verdict: null, fault, retryAfterSeconds: Number(response.headers.get("Retry-After")) || 0 };
  } catch {
    return { verdict: null, fault: "offline", retryAfterSeconds: 0 };
  } finally {
    clearTimeout(running);
  }
}

/** The public answer for an identifier or look-up code. */
export function askByKey(key: string, kind: "identifier" | "code", timeoutSeconds = 8): Promise<Answer> {
  // The browser's own cache is passed by: who asks again wants to know it now.
  const init: RequestInit = { headers: { Accept: "application/json" }, cache: "no-store" };
  return ask(`/v1/verify/${encodeURIComponent(key)}`, init, kind, timeoutSeconds);
}

/** The verdict on a PDF, or on a photo or scan of a licence. */
export function askByFile(file: File, timeoutSeconds = 120): Promise<Answer> {
  const body = new FormData();
  body.append("file", file, file.name);
  return ask("/v1/verify", { method: "POST", body }, file.type === "application/pdf" ? "pdf" : "image", timeoutSeconds);
}

/** True if a masked text could stand for the full one: same length, and equal where it is not `*`. */
export function fitsMask(masked: string, full: string): boolean {
  const [a, b] = [[...masked], [...full]];
  return a.length === b.length && a.every((letter, index) => letter === "*" || letter === b[index]);
}

function sameRecord(own: Verdict, live: Verdict): boolean {
  const [a, b] = [own.shown, live.shown];
  if (b.identifier !== "" && b.identifier !== a.identifier) return false;
  // A copy may leave the number out.
  if (b.number !== "" && !(a.madeFor !== null && a.number === "") && !fitsMask(b.number, a.number)) return false;
  if (b.effectiveOn !== "" && a.effectiveOn !== "" && b.effectiveOn !== a.effectiveOn) return false;
  // A copy says its own end, which is its licence's or earlier, and not the licence's.
  return b.expiresOn === "" || a.madeFor !== null || b.expiresOn === a.expiresOn;
}

/** Whether the register should be asked at all: the token's own signature told the identifier. */
export function worthAsking(own: Verdict): boolean {
  return own.shown.identifier !== "" && own.word !== "forged" && own.word !== "untrusted_issuer";
}

/** The page's own verdict, brought up to date by the register's answer. Fails closed where the two disagree. */
export function withLive(own: Verdict, answer: Answer): Verdict {
  if (answer.verdict === null) {
    if (answer.fault !== "not_found") return own;
    return judged(own, [{ name: "same_as_record", outcome: "unknown", code: "not_on_record" }]);
  }
  const live = answer.verdict;
  if (!sameRecord(own, live)) return judged(own, [{ name: "same_as_record", outcome: "failed", code: "differs_from_record" }]);
  const byDate = live.word === "expired" || live.word === "not_yet_effective";
  const good = live.word === "valid" || byDate;
  const ended = STATUS_WORDS.includes(live.word);
  // The register knows the licence's last day and not the copy's, which the page has judged by its own clock.
  const ownEnd = own.shown.madeFor !== null && own.checks.some((check) => check.name === "dates" && check.code === "expired");
  const checks: Check[] = [
    { name: "same_as_record", outcome: "passed", code: "same" },
    // An ended licence keeps what its own dates say; the register's clock decides the rest.
    ...(ended || ownEnd ? [] : [{ name: "dates", outcome: byDate ? ("failed" as const) : ("passed" as const), code: byDate ? live.word : "in_force" }]),
    { name: "status", outcome: good ? "passed" : ended ? "failed" : "unknown", code: good ? "live" : ended ? live.word : "status_unknown" },
  ];
  const verdict = judged(own, checks);
  verdict.shown = { ...own.shown, supersededBy: live.shown.supersededBy };
  verdict.statusAsOf = live.statusAsOf || new Date().toISOString();
  verdict.statusSource = "live";
  return verdict;
}

/** `own` with these checks in the place of those of the same name. */
function judged(own: Verdict, changed: Check[]): Verdict {
  const names = changed.map((check) => check.name);
  const checks = [...own.checks.filter((check) => !names.includes(check.name)), ...changed];
  const word = overallWord(checks);
  return { ...own, checks, word, fault: word === "valid" || word === "valid_offline" ? "" : (decidingCheck(checks)?.code ?? "") };
}
