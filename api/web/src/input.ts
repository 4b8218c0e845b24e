/** What somebody typed, scanned or dropped: which kind it is, decided without guessing at content. */
import { foldWidth } from "./digits.ts";

export type Typed = { kind: "token"; text: string } | { kind: "identifier" | "code"; text: string } | { kind: "empty" };

const MAX_KEY = 128;

/** A token if it holds one (a URL with a fragment, or a long run of digits), else an identifier if it has dots, else a code. */
export function typedInput(raw: string): Typed {
  const text = foldWidth(raw.slice(0, 20_000)).trim();
  if (text === "") return { kind: "empty" };
  const looksLikeToken = /#[0-9]+$/.test(text) || /[0-9]{100}/.test(text);
  if (looksLikeToken) return { kind: "token", text };
  // Capitals are the one form of both; the ideographic full stop is what an input method makes of a dot.
  const key = text.replace(/\u3002/g, ".").replace(/\s+/g, "").toUpperCase().slice(0, MAX_KEY);
  return { kind: key.includes(".") ? "identifier" : "code", text: key };
}

const FILE_TYPES = ["application/pdf", "image/png", "image/jpeg"];

/** Why this file cannot be checked here, or empty. */
export function fileFault(file: { name: string; type: string; size: number }, maxBytes: number): "" | "bad_file" | "too_large" {
  if (!FILE_TYPES.includes(file.type) && !/\.(pdf|png|jpe?g)$/i.test(file.name)) return "bad_file";
  return file.size > maxBytes ? "too_large" : "";
}
