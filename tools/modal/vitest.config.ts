import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** The contract of sandboxes against the real service: it costs money, and a first run builds an image. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, "../.."),
    include: ["packages/sandbox/testing/modal.live.ts"],
    testTimeout: 300_000,
    hookTimeout: 900_000,
  },
});
