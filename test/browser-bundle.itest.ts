import { build } from "esbuild";
import { expect, test } from "vitest";

/** Packages that the web console imports, so that nothing of Node may be in them. */
const ENTRIES = ["packages/contracts/src/index.ts", "packages/client/src/index.ts"];

test.each(ENTRIES)("%s is bundled for a browser", async (entry) => {
  const done = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "browser",
    format: "esm",
    logLevel: "silent",
  });
  expect(done.errors).toEqual([]);
  expect(done.outputFiles[0]?.text).not.toMatch(/\bprocess\.env\b|require\("node:/);
});
