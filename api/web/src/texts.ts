/** What texts the page needs; each language file holds all of them, which the compiler checks. */
import { en } from "./en.ts";
import type { Word } from "./verdict.ts";
import { zh } from "./zh.ts";

/** What a word means and what to do, for the person at the counter. */
export interface WordText {
  /** The big word. */
  title: string;
  /** One sentence: what it means. */
  meaning: string;
  /** One sentence: what to do now. */
  next: string;
}

export interface CauseText {
  meaning: string;
  next: string;
}

export interface Texts {
  htmlLang: string;
  locale: string;
  pageTitle: string;
  brand: string;
  tagline: string;
  skip: string;
  languageSwitch: string;
  intro: { heading: string; lead: string; steps: string[] };
  entry: {
    heading: string;
    label: string;
    hint: string;
    placeholder: string;
    button: string;
    dropTitle: string;
    dropHint: string;
    fileButton: string;
    fileNote: string;
  };
  busy: { token: string; key: string; file: string };
  words: Record<Word, WordText>;
  /** Own texts for a cause, where the word alone would mislead. Key: fault. */
  causes: Record<string, CauseText>;
  /** For a verdict from a code, an identifier or a file, the next step is another one. */
  nextForLookup: string;
  nextForFile: string;
  /** For a copy that was made for this asker. */
  nextForCopy: (asker: string) => string;
  expiredCopy: CauseText;
  nextLabel: string;
  phraseLabel: string;
  phraseHint: string;
  facts: {
    heading: string;
    number: string;
    holder: string;
    holders: string;
    holderCode: string;
    agency: string;
    issued: string;
    effective: string;
    expires: string;
    longTerm: string;
    identifier: string;
    supersededBy: string;
    madeFor: string;
    purpose: string;
    until: string;
    useCode: string;
    masked: string;
  };
  statusLive: (moment: string) => string;
  statusSnapshot: (age: string) => string;
  statusAsking: string;
  statusNotAsked: string;
  checks: {
    heading: string;
    names: Record<string, string>;
    codes: Record<string, string>;
    outcomes: Record<string, string>;
  };
  askedAt: (moment: string) => string;
  packLine: (age: string) => string;
  packNone: string;
  offlineBadge: string;
  print: string;
  again: string;
  retryIn: (seconds: number) => string;
  footer: (host: string) => string;
  footerNote: string;
  announce: (word: string, meaning: string) => string;
}

export const LANGUAGES = ["zh", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export const TEXTS: Record<Language, Texts> = { zh, en };
