/** Service worker of /q: the page and its script without a network. The trust pack is kept by the page, verified. */
declare const CACHE_NAME: string;
declare const ASSETS: readonly string[];

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface WorkerScope {
  addEventListener(type: "install" | "activate", act: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", act: (event: FetchEvent) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
}
const scope = self as unknown as WorkerScope;

const PAGE = "/q";
const PREFIX = "certlib-page-";
const NETWORK_SECONDS = 3;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE_NAME);
  await cache.addAll([PAGE, ...ASSETS].map((path) => new Request(path, { cache: "no-cache" })));
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE_NAME).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** The network's page if it comes soon, else the kept one: a portal's or error page never replaces it. */
async function page(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE_NAME);
  const timer = new AbortController();
  const running = setTimeout(() => timer.abort(), NETWORK_SECONDS * 1000);
  try {
    const response = await fetch(request.url, { signal: timer.signal, credentials: "omit" });
    const html = response.headers.get("Content-Type")?.startsWith("text/html") ?? false;
    if (!response.ok || response.redirected || !html) throw new Error("not our page");
    await cache.put(PAGE, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(PAGE);
    if (kept === undefined) throw error;
    return kept;
  } finally {
    clearTimeout(running);
  }
}

async function asset(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  return kept ?? fetch(request);
}

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(request));
  else if (ASSETS.includes(url.pathname)) event.respondWith(asset(request));
});
