// Build the two pages: the staff console and the shopper's card.
// Takes: web/console, web/card, web/src. Gives: ../inaisle/pages, each text file also as .br and .gz,
// so that the server never compresses while somebody waits.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

import { serviceWorker } from "./build_steps/service_worker.ts";

const OUT = "../inaisle/pages";
const COMPRESSED = /\.(?:html|js|css|svg|json|webmanifest)$/;
const SMALLER_THAN_BYTES_MIN = 1024; // below that the header costs more than is saved

/** Write .br and .gz beside each text file. */
function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(OUT, { recursive: true, encoding: "utf8" })) {
        if (!COMPRESSED.test(name)) continue;
        const path = join(OUT, name);
        const bytes = readFileSync(path);
        if (bytes.length < SMALLER_THAN_BYTES_MIN) continue;
        const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: quality }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), serviceWorker(OUT), compress()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy of the pages allows no data: scripts or fonts
    rolldownOptions: { input: { console: "console/index.html", card: "card/index.html" } },
  },
  server: { proxy: { "/v1": { target: "http://127.0.0.1:8080", ws: true } } },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
