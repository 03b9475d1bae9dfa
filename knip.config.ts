import { globSync } from "node:fs";
import { join } from "node:path";
import type { KnipConfig } from "knip";

/**
 * Unused code. `knip` counts tests as users; `knip --production` does not, so it finds exports that only tests use.
 * A trailing `!` marks what is production code.
 */
const PRODUCTION = ["src/main.ts!", "src/*-main.ts!"];
const TESTS = ["**/*.itest.ts", "testing/*.live.ts", "testing/*.mjs"];
const PROJECT = ["**/*.ts!", "!**/*.{test,itest}.ts!", "!testing/**!"];

/** Only patterns that match a file: knip reports the others as hints. */
function workspace(dir: string): { entry: string[]; project: string[] } {
  const matches = (pattern: string) =>
    globSync(join(dir, pattern.replace(/!$/, "")), { exclude: ["**/node_modules/**"] }).length > 0;
  return { entry: [...PRODUCTION, ...TESTS].filter(matches), project: PROJECT };
}

const workspaces = globSync(["packages/*", "services/*"]).map((dir) => [dir, workspace(dir)] as const);

export default {
  workspaces: {
    ".": {
      entry: [
        "tools/bootstrap/*.mjs!",
        "tools/*/{main,*-main}.ts!",
        "tools/local/*.mjs!",
        "bench/*/{main,*-main}.ts!",
        "tools/modal/vitest.config.ts",
        "test/support/command-agent/command-agent.mjs",
        "test/support/obedient-agent/obedient-agent.mjs",
        "test/support/git-host/main.ts",
        "test/support/obedient-agent/obedient-agent.mjs",
        "test/attacks/serve-two-doors.ts",
        "test/soak/main.ts",
        "test/soak/skewed-clock.mjs",
        "{tools,test}/**/*.itest.ts",
      ],
      project: [
        "{tools,bench}/**/*.{ts,mjs}!",
        "test/**/*.{ts,mjs}",
        "!**/*.{test,itest}.ts!",
        "!**/testing/**!",
      ],
      ignoreBinaries: ["apt-get", "dpkg", "busctl", "mount", "umount"],
    },
    ...Object.fromEntries(workspaces),
  },
  ignoreExportsUsedInFile: true,
  // For exports that a package offers to the tests of others.
  tags: ["-testonly"],
  treatConfigHintsAsErrors: true,
} satisfies KnipConfig;
