/** JSON (RFC 8259) without its traps: no member twice, no lone surrogate, bounded depth (docs/formats.md, 2). */
import { malformed } from "./faults.ts";

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

const MAX_DEPTH = 32;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const BLANK = /[ \t\r\n]*/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'], ["\\", "\\"], ["/", "/"], ["b", "\b"], ["f", "\f"], ["n", "\n"], ["r", "\r"], ["t", "\t"],
]);

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  private expect(token: string): void {
    if (!this.text.startsWith(token, this.at)) malformed("JSON");
    this.at += token.length;
  }

  private string(): string {
    this.expect('"');
    let out = "";
    for (;;) {
      out += this.match(PLAIN);
      const stop = this.text.charAt(this.at++);
      if (stop === '"') break;
      if (stop !== "\\") malformed("JSON string");
      const kind = this.text.charAt(this.at++);
      if (kind === "u") {
        const hex = this.text.slice(this.at, this.at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) malformed("JSON escape");
        out += String.fromCharCode(parseInt(hex, 16));
        this.at += 4;
      } else {
        out += ESCAPES.get(kind) ?? malformed("JSON escape");
      }
    }
    // No look-behind: older phones cannot read a script that has one.
    if (/[\ud800-\udfff]/.test(out.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ""))) malformed("JSON lone surrogate");
    return out;
  }

  private list<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    this.match(BLANK);
    const out: T[] = [];
    if (this.text.startsWith(close, this.at)) {
      this.at += close.length;
      return out;
    }
    for (;;) {
      this.match(BLANK);
      out.push(item());
      this.match(BLANK);
      if (!this.text.startsWith(",", this.at)) break;
      this.at += 1;
    }
    this.expect(close);
    return out;
  }

  private value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) malformed("JSON too deep");
    const first = this.text.charAt(this.at);
    if (first === '"') return this.string();
    if (first === "[") return this.list("[", "]", () => this.value(depth + 1));
    if (first === "{") {
      const out: JsonObject = Object.create(null) as JsonObject;
      this.list("{", "}", () => {
        const name = this.string();
        if (name in out) malformed("JSON member twice");
        this.match(BLANK);
        this.expect(":");
        this.match(BLANK);
        out[name] = this.value(depth + 1);
      });
      return out;
    }
    if (first === "t") return this.word("true", true);
    if (first === "f") return this.word("false", false);
    if (first === "n") return this.word("null", null);
    const number = Number(this.match(NUMBER) || malformed("JSON"));
    return Number.isFinite(number) ? number : malformed("JSON number");
  }

  private word<T>(token: string, value: T): T {
    this.expect(token);
    return value;
  }

  whole(): JsonValue {
    this.match(BLANK);
    const value = this.value(1);
    this.match(BLANK);
    if (this.at !== this.text.length) malformed("after JSON");
    return value;
  }
}

export function parseJson(text: string): JsonValue {
  return new Parser(text).whole();
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object that has exactly the members `names`. */
export function exactObject(value: JsonValue | undefined, names: readonly string[], what: string): JsonObject {
  if (!isObject(value)) malformed(what);
  const found = Object.keys(value);
  if (found.length !== names.length || !names.every((name) => name in value)) malformed(`${what}: members`);
  return value;
}

export function textOf(value: JsonValue | undefined, what: string): string {
  return typeof value === "string" ? value : malformed(what);
}

/** A whole number, 0 or more. */
export function wholeOf(value: JsonValue | undefined, what: string): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : malformed(what);
}
