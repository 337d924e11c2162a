// Write the service worker of the card: one file of a fixed name, with the list of what it keeps.
// Takes: what the build has written for the card. Gives: card/sw.js.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { build, type Plugin } from "vite";

const ENTRY = "src/card/sw/sw.ts";
const PAGE = "card/index.html";

/** Bundle the worker once everything else stands. */
export function serviceWorker(out: string): Plugin {
  let ofCard: readonly string[] = [];
  return {
    name: "service-worker",
    apply: "build",
    generateBundle(_, bundle) {
      ofCard = filesOf(bundle, PAGE);
    },
    async writeBundle() {
      const page = readFileSync(join(out, PAGE), "utf8");
      const beside = readdirSync(join(out, "card"))
        .filter((name) => /\.(?:png|webmanifest)$/.test(name))
        .map((name) => `/card/${name}`);
      const kept = ["/card/", ...beside, ...ofCard.map((name) => `/${name}`)].sort();
      const digest = createHash("sha256").update(kept.join("\n") + page).digest("hex");
      await build({
        configFile: false,
        publicDir: false,
        logLevel: "error",
        define: { __KEPT_FILES__: JSON.stringify(kept), __BUILD__: JSON.stringify(digest.slice(0, 12)) },
        build: {
          outDir: join(out, "card"),
          emptyOutDir: false,
          target: "es2022",
          lib: { entry: ENTRY, formats: ["iife"], name: "card", fileName: () => "sw.js" },
        },
      });
    },
  };
}

interface Chunk {
  type: string;
  facadeModuleId?: string | null;
  imports?: readonly string[];
  dynamicImports?: readonly string[];
  viteMetadata?: { importedCss: Set<string>; importedAssets: Set<string> };
}

/** The scripts and styles that a page loads, now or when somebody goes to a screen. */
function filesOf(bundle: Record<string, Chunk>, page: string): readonly string[] {
  const entry = Object.keys(bundle).find((name) => bundle[name]?.facadeModuleId?.endsWith(page));
  if (entry === undefined) throw new Error(`the build has no chunk of ${page}`);
  const found = new Set<string>();
  const open = [entry];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const chunk = bundle[name];
    for (const style of chunk?.viteMetadata?.importedCss ?? []) found.add(style);
    for (const asset of chunk?.viteMetadata?.importedAssets ?? []) found.add(asset);
    open.push(...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? []));
  }
  return [...found];
}
