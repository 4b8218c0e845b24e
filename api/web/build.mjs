/**
 * Builds the verify page into api/web/dist, or with --tests the tests of tests/web into build/web-tests.
 *
 * dist/static/*   content-hashed script and style, the icon: served as /static/*, cached for good
 * dist/sw.js      service worker, served as /sw.js
 * dist/assets.json  {"script", "style", "icon", "manifest"}: what the page's template links to
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const root = join(web, "..", "..");
const MAX_GZIP_BYTES = 100_000;

/** Text of one bundled file. */
async function bundled(name, options) {
  const result = await build({
    entryPoints: [join(web, "src", name)],
    bundle: true, minify: true, write: false, format: "iife", target: "es2020",
    charset: "utf8", legalComments: "none", ...options,
  });
  return result.outputFiles[0].text;
}

const digest = (text) => createHash("sha256").update(text).digest("hex").slice(0, 12);

async function buildPage() {
  const dist = join(web, "dist");
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(dist, "static"), { recursive: true });
  const texts = {
    script: ["page", "js", await bundled("page.ts", {})],
    style: ["page", "css", await bundled("page.css", {})],
    icon: ["icon", "svg", readFileSync(join(web, "src", "icon.svg"), "utf8")],
  };
  const assets = {};
  for (const [kind, [stem, suffix, text]] of Object.entries(texts)) {
    assets[kind] = `/static/${stem}-${digest(text)}.${suffix}`;
    writeFileSync(join(dist, assets[kind].slice(1)), text);
  }
  const manifest = JSON.stringify({
    name: "证照核验 Licence check", short_name: "证照核验", start_url: "/q", scope: "/q", display: "standalone", lang: "zh-CN",
    background_color: "#f5f3ed", theme_color: "#12372a",
    icons: [{ src: assets.icon, type: "image/svg+xml", sizes: "any", purpose: "any" }],
  });
  assets.manifest = `/static/app-${digest(manifest)}.webmanifest`;
  writeFileSync(join(dist, assets.manifest.slice(1)), manifest);
  const define = {
    ASSETS: JSON.stringify(Object.values(assets)),
    CACHE_NAME: JSON.stringify(`certlib-page-${digest(JSON.stringify(assets))}`),
  };
  const worker = await bundled("worker.ts", { define });
  writeFileSync(join(dist, "sw.js"), worker);
  writeFileSync(join(dist, "assets.json"), JSON.stringify(assets, null, 2) + "\n");
  const size = gzipSync(texts.script[2]).length + gzipSync(worker).length;
  console.log(`page: ${size} bytes of script, gzipped`);
  if (size > MAX_GZIP_BYTES) throw new Error(`more than ${MAX_GZIP_BYTES} bytes of script`);
}

async function buildTests() {
  const out = join(root, "build", "web-tests");
  rmSync(out, { recursive: true, force: true });
  const tests = readdirSync(join(root, "tests", "web")).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => join(root, "tests", "web", name)),
    bundle: true, platform: "node", format: "esm", target: "node20", outdir: out, outExtension: { ".js": ".mjs" },
    define: { REPOSITORY: JSON.stringify(root) },
  });
}

await (process.argv.includes("--tests") ? buildTests() : buildPage());
