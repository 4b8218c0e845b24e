/** The verdict as people see it. */
import { h, symbol } from "./dom.ts";
import { SYMBOLS, TONES } from "./symbols.ts";
import type { Language, Texts } from "./texts.ts";
import type { Check, Names, Verdict } from "./verdict.ts";

const MARKS: Readonly<Record<string, string>> = { passed: "✓", failed: "✕", unknown: "?", not_applicable: "–", warning: "!" };

/** What stands around a verdict. */
export interface Setting {
  texts: Texts;
  language: Language;
  asking: boolean;
  askedAt: Date;
  retryAfterSeconds: number;
  onLookup: (key: string) => void;
  onAgain: () => void;
}

/** "3 hours ago" in the page's language; below a minute "now". */
export function ageText(seconds: number, texts: Texts): string {
  const format = new Intl.RelativeTimeFormat(texts.locale, { numeric: "auto" });
  if (seconds < 60) return format.format(0, "second");
  if (seconds < 3_600) return format.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86_400) return format.format(-Math.floor(seconds / 3_600), "hour");
  return format.format(-Math.floor(seconds / 86_400), "day");
}

export function momentText(moment: Date, texts: Texts): string {
  return new Intl.DateTimeFormat(texts.locale, { dateStyle: "medium", timeStyle: "short" }).format(moment);
}

/** An ISO day in words; the day is already in the agency's zone, so it is shown as it stands. */
export function dayText(iso: string, texts: Texts): string {
  const day = new Date(`${iso}T00:00:00Z`);
  return Number.isNaN(day.getTime()) ? iso : new Intl.DateTimeFormat(texts.locale, { dateStyle: "long", timeZone: "UTC" }).format(day);
}

/** A field's value for people: days in words, whole thousands apart; anything unusual stays as it is. */
export function valueText(value: string, kind: string, texts: Texts): string {
  if (kind === "date" && /^\d{4}-\d{2}-\d{2}$/.test(value)) return dayText(value, texts);
  if (kind !== "money" && kind !== "integer") return value;
  const [whole, rest] = value.split(".");
  if (!/^\d{1,15}$/.test(whole ?? "") || (rest !== undefined && !/^\d+$/.test(rest))) return value;
  return (whole ?? "").replace(/\B(?=(\d{3})+$)/g, ",") + (rest === undefined ? "" : `.${rest}`);
}

function named(names: Names | null, language: Language): string {
  return names === null ? "" : names[language];
}

/** Meaning and next step: of the fault where it has its own, else of the word. */
export function explained(verdict: Verdict, texts: Texts): { meaning: string; next: string } {
  const word = texts.words[verdict.word];
  const { madeFor } = verdict.shown;
  if (madeFor !== null && verdict.word === "expired") return texts.expiredCopy;
  if (madeFor !== null && verdict.word === "bound_copy") {
    return { meaning: word.meaning, next: texts.nextForCopy(madeFor.agency[texts.htmlLang.startsWith("zh") ? "zh" : "en"]) };
  }
  const cause = ["unknown", "forged", "untrusted_issuer"].includes(verdict.word) ? (texts.causes[`${verdict.kind}_${verdict.fault}`] ?? texts.causes[verdict.fault]) : undefined;
  if (verdict.word === "valid" && (verdict.kind === "code" || verdict.kind === "identifier")) {
    return { meaning: word.meaning, next: texts.nextForLookup };
  }
  if (verdict.word === "valid" && verdict.kind === "pdf") return { meaning: word.meaning, next: texts.nextForFile };
  return cause ?? word;
}

function statusLine(verdict: Verdict, setting: Setting): string {
  const { texts } = setting;
  if (setting.asking) return texts.statusAsking;
  if (verdict.statusSource === "live") return texts.statusLive(momentText(new Date(verdict.statusAsOf || setting.askedAt), texts));
  if (verdict.statusSource === "snapshot") return texts.statusSnapshot(ageText(verdict.snapshotAgeSeconds ?? 0, texts));
  return "";
}

function head(verdict: Verdict, setting: Setting): HTMLElement {
  const { texts, language } = setting;
  const { meaning } = explained(verdict, texts);
  const status = statusLine(verdict, setting);
  return h(
    "header", { class: "verdict-head" },
    symbol(SYMBOLS[verdict.word]),
    h(
      "div", { class: "verdict-words" },
      h("p", { class: "verdict-type" }, named(verdict.shown.type, language)),
      h("h2", { class: "verdict-word", id: "verdict-word", tabindex: "-1" }, texts.words[verdict.word].title),
      h("p", { class: "verdict-meaning" }, meaning),
      status ? h("p", { class: setting.asking ? "verdict-status asking" : "verdict-status" }, status) : null,
    ),
  );
}

function row(name: string, value: string, kind = ""): HTMLElement | null {
  return value === "" ? null : h("div", { class: "fact" }, h("dt", {}, name), h("dd", kind ? { class: kind } : {}, value));
}

function facts(verdict: Verdict, setting: Setting): HTMLElement | null {
  const { texts, language } = setting;
  const { shown } = verdict;
  const words = texts.facts;
  if (shown.number === "" && shown.identifier === "" && shown.holders.length === 0) return null;
  const many = shown.holders.length > 1;
  const day = (iso: string): string => (iso === "" ? "" : dayText(iso, texts));
  const list = h("dl", { class: "facts" });
  const copy = shown.madeFor;
  const end = copy === null ? NaN : Date.parse(copy.until);
  const rows = [
    ...(copy === null
      ? []
      : [
          row(words.madeFor, named(copy.agency, language), "strong"),
          row(words.purpose, copy.purpose),
          row(words.until, Number.isNaN(end) ? copy.until : momentText(new Date(end), texts)),
          row(words.useCode, copy.useCode, "code"),
        ]),
    ...shown.holders.flatMap((holder, index) => [
      row(many ? `${words.holders} ${index + 1}` : words.holder, holder.name, "strong"),
      row(words.holderCode, holder.code, "code"),
    ]),
    row(named(shown.numberLabel, language) || words.number, shown.number, "strong code"),
    row(words.agency, named(shown.agency, language)),
    row(words.issued, day(shown.issuedOn)),
    row(words.effective, day(shown.effectiveOn)),
    row(words.expires, shown.expiresOn === null ? words.longTerm : day(shown.expiresOn)),
    ...shown.fields.map((field) => row(named(field.label, language), valueText(field.value, field.kind, texts))),
    row(words.identifier, shown.identifier, "code small"),
  ];
  list.append(...rows.filter((each) => each !== null));
  return h("section", { class: "panel", "aria-labelledby": "facts-heading" }, h("h3", { id: "facts-heading" }, words.heading), list);
}

function newer(verdict: Verdict, setting: Setting): HTMLElement | null {
  const key = verdict.shown.supersededBy;
  if (key === "") return null;
  const link = h("button", { type: "button", class: "plain code" }, key);
  link.addEventListener("click", () => setting.onLookup(key));
  return h("p", { class: "newer" }, `${setting.texts.facts.supersededBy} `, link);
}

function phrase(verdict: Verdict, texts: Texts): HTMLElement | null {
  if (verdict.shown.checkPhrase === "" || verdict.word === "forged" || verdict.word === "untrusted_issuer") return null;
  return h(
    "div", { class: "phrase" },
    h("p", { class: "phrase-label" }, texts.phraseLabel, " ", h("span", {}, texts.phraseHint)),
    h("p", { class: "phrase-words", lang: "en", translate: "no" }, verdict.shown.checkPhrase),
  );
}

function checkRow(check: Check, texts: Texts): HTMLElement {
  const words = texts.checks;
  const outcome = words.outcomes[check.outcome] ?? check.outcome;
  const reason = words.codes[check.code] ?? "";
  return h(
    "li", { class: `check ${check.outcome}` },
    h("span", { class: "mark", "aria-hidden": "true" }, MARKS[check.outcome] ?? "?"),
    h("span", { class: "check-name" }, words.names[check.name] ?? check.name),
    h("span", { class: "check-reason" }, h("span", { class: "unseen" }, `${outcome} `), reason || outcome),
  );
}

function checks(verdict: Verdict, texts: Texts): HTMLElement | null {
  const shown = verdict.checks.filter((check) => check.outcome !== "not_applicable");
  if (shown.length === 0) return null;
  return h(
    "details", { class: "panel checks" },
    h("summary", {}, `${texts.checks.heading} (${shown.length})`),
    h("ol", {}, ...shown.map((check) => checkRow(check, texts))),
  );
}

function button(label: string, kind: string, act: () => void): HTMLElement {
  const element = h("button", { type: "button", class: kind }, label);
  element.addEventListener("click", act);
  return element;
}

/** The whole card of a verdict. */
export function verdictCard(verdict: Verdict, setting: Setting): HTMLElement {
  const { texts } = setting;
  const wait = verdict.fault === "busy" && setting.retryAfterSeconds > 0 ? ` ${texts.retryIn(setting.retryAfterSeconds)}` : "";
  const parts = [
    head(verdict, setting),
    h("p", { class: "next" }, h("strong", {}, texts.nextLabel), " ", explained(verdict, texts).next + wait),
    newer(verdict, setting),
    phrase(verdict, texts),
    facts(verdict, setting),
    checks(verdict, texts),
    h(
      "footer", { class: "verdict-foot" },
      h("p", {}, texts.askedAt(momentText(setting.askedAt, texts))),
      h("div", { class: "actions" }, button(texts.print, "plain", () => window.print()), button(texts.again, "plain", setting.onAgain)),
    ),
  ];
  const card = h("article", { class: `verdict tone-${TONES[verdict.word]}`, "aria-labelledby": "verdict-word", "data-word": verdict.word });
  card.dataset["fault"] = verdict.fault;
  card.append(...parts.filter((part) => part !== null));
  return card;
}

/** The card while something is being checked. */
export function busyCard(text: string): HTMLElement {
  return h("div", { class: "busy" }, h("span", { class: "spinner", "aria-hidden": "true" }), h("p", {}, text));
}
