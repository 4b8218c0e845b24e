/** The verify page: reads the fragment, the field and files, and shows one verdict at a time. */
import { byId, h } from "./dom.ts";
import { fileFault, typedInput } from "./input.ts";
import { type Anchor, anchorOf, knownFromBefore, nowSeconds, refreshed } from "./knowledge.ts";
import { type Answer, askByFile, askByKey, withLive, worthAsking } from "./live.ts";
import { keepLanguage, keptLanguage } from "./memory.ts";
import { type Knowledge, judgeOffline } from "./offline.ts";
import { LANGUAGES, type Language, TEXTS, type Texts } from "./texts.ts";
import { type Verdict, cannotTell } from "./verdict.ts";
import { ageText, busyCard, explained, verdictCard } from "./view.ts";

const WAIT_FOR_PACK_MS = 1_500;
const WAIT_FOR_LIVE_MS = 900;

interface Result {
  verdict: Verdict;
  asking: boolean;
  askedAt: Date;
  retryAfterSeconds: number;
}

interface PageConfig {
  anchor: string;
  max_upload_bytes: number;
}

const config = JSON.parse(byId("page-config").textContent ?? "{}") as PageConfig;
const anchor: Anchor = anchorOf(config.anchor);
let language: Language = firstLanguage();
let shown: Result | null = null;
let busy: keyof Texts["busy"] | null = null;
let run = 0;
let packAwaited = true;
let knowledge: Knowledge = { pack: null, packFault: "no_trust" };

const before = knownFromBefore(anchor).then(learned);
let fresh = before.then((known) => refreshed(anchor, known)).then((known) => {
  packAwaited = false;
  return learned(known);
});

function learned(known: Knowledge): Knowledge {
  knowledge = known;
  showFooter();
  return known;
}

function firstLanguage(): Language {
  const kept = keptLanguage();
  const wanted = kept || navigator.language || "";
  return LANGUAGES.find((each) => each === kept) ?? (wanted.toLowerCase().startsWith("zh") ? "zh" : "en");
}

/** The promise's value, or `otherwise` if it takes longer. */
function within<T, U>(promise: Promise<T>, milliseconds: number, otherwise: U): Promise<T | U> {
  return Promise.race([promise, new Promise<U>((resolve) => setTimeout(() => resolve(otherwise), milliseconds))]);
}

// ---- checking -------------------------------------------------------------------------------------------------

async function checkToken(text: string, byHand: boolean): Promise<void> {
  const mine = begin("token");
  const known = await before;
  let used = known.pack === null ? await fresh : await within(fresh, WAIT_FOR_PACK_MS, known);
  if (mine !== run) return;
  let own = judgeOffline(text, used, nowSeconds());
  if (!worthAsking(own) || !navigator.onLine) {
    finish(mine, own, byHand);
  } else {
    const answering = askByKey(own.shown.identifier, "identifier");
    const quick: Answer | null = await within(answering, WAIT_FOR_LIVE_MS, null);
    if (mine !== run) return;
    if (quick === null) show({ verdict: own, asking: true, askedAt: new Date(), retryAfterSeconds: 0 });
    const answer = quick ?? (await answering);
    const latest = await within(fresh, 0, used);
    if (latest !== used) [used, own] = [latest, judgeOffline(text, latest, nowSeconds())];
    finish(mine, withLive(own, answer), byHand);
  }
  // A trust pack that came late may change the verdict: look once more.
  const late = await fresh;
  if (mine === run && late !== used && late.pack?.version !== used.pack?.version) await checkToken(text, byHand);
}

async function checkKey(key: string, kind: "identifier" | "code"): Promise<void> {
  const mine = begin("key");
  finishAnswer(mine, await askByKey(key, kind), kind);
}

async function checkFile(file: File): Promise<void> {
  const fault = fileFault(file, config.max_upload_bytes);
  const mine = begin("file");
  if (fault !== "") finish(mine, cannotTell("pdf", fault), true);
  else finishAnswer(mine, await askByFile(file), "pdf");
}

function finishAnswer(mine: number, answer: Answer, kind: string): void {
  if (answer.verdict !== null) finish(mine, answer.verdict, true);
  else finish(mine, cannotTell(kind, answer.fault), true, answer.retryAfterSeconds);
}

function begin(kind: keyof Texts["busy"]): number {
  run += 1;
  busy = kind;
  shown = null;
  render();
  return run;
}

function finish(mine: number, verdict: Verdict, byHand: boolean, retryAfterSeconds = 0): void {
  if (mine !== run) return;
  show({ verdict, asking: false, askedAt: new Date(), retryAfterSeconds });
  const texts = TEXTS[language];
  byId("announcement").textContent = texts.announce(texts.words[verdict.word].title, explained(verdict, texts).meaning);
  if (byHand) document.getElementById("verdict-word")?.focus();
}

function show(result: Result): void {
  busy = null;
  shown = result;
  render();
}

// ---- showing --------------------------------------------------------------------------------------------------

function render(): void {
  const texts = TEXTS[language];
  const place = byId("result");
  document.title = shown === null ? texts.pageTitle : `${texts.words[shown.verdict.word].title} · ${texts.pageTitle}`;
  document.body.dataset["state"] = shown !== null ? "verdict" : busy !== null ? "busy" : "idle";
  byId("entry-heading").textContent = shown === null ? texts.intro.heading : texts.entry.heading;
  if (shown !== null) {
    const open = place.querySelector("details")?.open ?? false;
    const card = verdictCard(shown.verdict, { texts, language, ...shown, onLookup: (key) => void checkKey(key, "identifier"), onAgain: again });
    const details = card.querySelector("details");
    if (details !== null) details.open = open;
    place.replaceChildren(card);
  } else {
    place.replaceChildren(...(busy === null ? [] : [busyCard(texts.busy[busy])]));
  }
}

function again(): void {
  const field = byId<HTMLInputElement>("typed");
  field.value = "";
  field.focus();
}

function showFooter(): void {
  const texts = TEXTS[language];
  const { pack } = knowledge;
  const age = pack === null ? (packAwaited ? "" : texts.packNone) : texts.packLine(ageText(Math.max(0, nowSeconds() - pack.issuedAt), texts));
  byId("trust-age").textContent = age;
  byId("offline-badge").hidden = navigator.onLine;
}

/** Put the language's texts into the fixed parts of the page. */
function speak(): void {
  const texts = TEXTS[language];
  const { entry, intro } = texts;
  document.documentElement.lang = texts.htmlLang;
  const fixed: Record<string, string> = {
    skip: texts.skip, brand: texts.brand, tagline: texts.tagline, lead: intro.lead, "typed-label": entry.label, "typed-hint": entry.hint,
    check: entry.button, "drop-title": entry.dropTitle, "drop-hint": entry.dropHint, "file-button": entry.fileButton,
    "file-note": entry.fileNote, "offline-badge": texts.offlineBadge, origin: texts.footer(location.host), "origin-note": texts.footerNote,
  };
  for (const [id, value] of Object.entries(fixed)) byId(id).textContent = value;
  byId<HTMLInputElement>("typed").placeholder = entry.placeholder;
  byId("languages").setAttribute("aria-label", texts.languageSwitch);
  byId("steps").replaceChildren(...intro.steps.map((step) => h("li", {}, step)));
  for (const each of LANGUAGES) byId(`language-${each}`).setAttribute("aria-pressed", String(each === language));
  showFooter();
  render();
}

// ---- events ---------------------------------------------------------------------------------------------------

function fromFragment(): void {
  const fragment = location.hash.slice(1);
  if (fragment === "") return;
  const typed = typedInput(`#${decodeURIComponentSafely(fragment)}`);
  void checkToken(typed.kind === "token" ? typed.text : fragment, false);
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fromField(): void {
  const field = byId<HTMLInputElement>("typed");
  const typed = typedInput(field.value);
  if (typed.kind === "empty") {
    field.focus();
  } else if (typed.kind === "token") {
    field.value = ""; // ready for the scanner's next code
    void checkToken(typed.text, true);
  } else {
    field.value = typed.text;
    void checkKey(typed.text, typed.kind);
  }
}

function takeFile(files: FileList | null | undefined): void {
  const file = files?.[0];
  if (file !== undefined) void checkFile(file);
}

function listen(): void {
  for (const each of LANGUAGES) {
    byId(`language-${each}`).addEventListener("click", () => {
      language = each;
      keepLanguage(each);
      speak();
    });
  }
  byId("entry").addEventListener("submit", (event) => {
    event.preventDefault();
    fromField();
  });
  const picker = byId<HTMLInputElement>("file");
  picker.addEventListener("change", () => {
    takeFile(picker.files);
    picker.value = "";
  });
  const zone = byId("drop");
  for (const name of ["dragover", "dragenter"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) zone.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    takeFile(event.dataTransfer?.files);
  });
  // A handheld scanner types wherever the focus is: lead it into the field.
  document.addEventListener("keydown", (event) => {
    const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ";
    if (plain && (event.target === document.body || document.activeElement?.id === "verdict-word")) byId("typed").focus();
  });
  window.addEventListener("hashchange", fromFragment);
  window.addEventListener("offline", showFooter);
  window.addEventListener("online", () => {
    fresh = refreshed(anchor, knowledge).then(learned);
    showFooter();
  });
}

byId("no-script").remove();
listen();
speak();
fromFragment();
if ("serviceWorker" in navigator) {
  // Refused on plain http; then the page works, but not without a network.
  navigator.serviceWorker.register("/sw.js", { scope: "/q" }).catch(() => undefined);
}
