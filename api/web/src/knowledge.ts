/** The trust pack of this page: kept from before, and fetched afresh when there is a network. */
import { fromBase64Url } from "./bytes.ts";
import { VerificationError } from "./faults.ts";
import { highestVersion, keepPack, keptPack, rememberVersion } from "./memory.ts";
import type { Knowledge } from "./offline.ts";
import { kidOf } from "./signatures.ts";
import { type TrustPack, openPack } from "./trust.ts";

const FETCH_TIMEOUT_SECONDS = 10;

/** The anchor that the server wrote into the page: SubjectPublicKeyInfo of the library's root, base64url. */
export interface Anchor {
  id: string;
  spki: Uint8Array;
}

export function anchorOf(spkiText: string): Anchor {
  const spki = fromBase64Url(spkiText);
  return { id: kidOf(spki), spki };
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function opened(text: string, anchor: Anchor): TrustPack {
  const pack = openPack(text, anchor.spki, nowSeconds(), highestVersion(anchor.id));
  rememberVersion(anchor.id, pack.version);
  return pack;
}

function faultOf(error: unknown): string {
  return error instanceof VerificationError ? error.fault : "no_trust";
}

/** What was kept from an earlier visit. */
export async function knownFromBefore(anchor: Anchor): Promise<Knowledge> {
  const text = await keptPack(anchor.id);
  if (text === null) return { pack: null, packFault: "no_trust" };
  try {
    return { pack: opened(text, anchor), packFault: "" };
  } catch (error) {
    return { pack: null, packFault: faultOf(error) };
  }
}

/** `before`, or the server's pack where that can be had and is good; a bad or older one never replaces a good one. */
export async function refreshed(anchor: Anchor, before: Knowledge): Promise<Knowledge> {
  const timer = new AbortController();
  const running = setTimeout(() => timer.abort(), FETCH_TIMEOUT_SECONDS * 1000);
  let text: string;
  try {
    const response = await fetch("/v1/trust-pack", { signal: timer.signal, credentials: "omit", cache: "no-cache" });
    if (!response.ok) return before;
    text = await response.text();
  } catch {
    return before;
  } finally {
    clearTimeout(running);
  }
  try {
    const pack = opened(text, anchor);
    await keepPack(anchor.id, text);
    return { pack, packFault: "" };
  } catch (error) {
    return before.pack === null ? { pack: null, packFault: faultOf(error) } : before;
  }
}
