/**
 * What the page keeps between visits: the last good trust pack, the highest version seen, the language.
 *
 * IndexedDB and localStorage, not the service worker's cache: they also work on plain http, and only a pack that
 * was verified gets in. Every call may find storage switched off; then the page works without memory.
 */
const DATABASE = "certlib";
const STORE = "trust";
const VERSION_KEY = "certlib.trust-version.";
const LANGUAGE_KEY = "certlib.language";

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("storage"));
  });
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await done(opening);
  return database.transaction(STORE, mode).objectStore(STORE);
}

/** The text of the last good pack under this anchor, or null. */
export async function keptPack(anchorId: string): Promise<string | null> {
  try {
    const kept: unknown = await done((await store("readonly")).get(anchorId));
    return typeof kept === "string" ? kept : null;
  } catch {
    return null;
  }
}

/** Keep a pack that was verified. */
export async function keepPack(anchorId: string, text: string): Promise<void> {
  try {
    await done((await store("readwrite")).put(text, anchorId));
  } catch {
    // No storage: the page asks again next time.
  }
}

/** The highest version of a pack ever verified here under this anchor; 0 for none. */
export function highestVersion(anchorId: string): number {
  try {
    return Number(localStorage.getItem(VERSION_KEY + anchorId)) || 0;
  } catch {
    return 0;
  }
}

export function rememberVersion(anchorId: string, version: number): void {
  try {
    if (version > highestVersion(anchorId)) localStorage.setItem(VERSION_KEY + anchorId, String(version));
  } catch {
    // No storage: roll-back cannot be noticed here.
  }
}

export function keptLanguage(): string {
  try {
    return localStorage.getItem(LANGUAGE_KEY) ?? "";
  } catch {
    return "";
  }
}

export function keepLanguage(language: string): void {
  try {
    localStorage.setItem(LANGUAGE_KEY, language);
  } catch {
    // No storage: the browser's language decides next time.
  }
}
