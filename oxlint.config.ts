import { defineConfig } from "oxlint";

/** Which of our packages each folder may import; what is not listed is an error. See ARCHITECTURE.md. */
const FLOOR_2 = ["contracts"];
const SERVICE = ["contracts", "queue", "service", "git", "llm", "sandbox", "broker", "checks"];
const MAY_IMPORT: Record<string, readonly string[]> = {
  "packages/contracts": [],
  "packages/queue": FLOOR_2,
  "packages/service": FLOOR_2,
  "packages/git": FLOOR_2,
  "packages/llm": FLOOR_2,
  "packages/sandbox": FLOOR_2,
  "packages/replay": FLOOR_2,
  "packages/cli": FLOOR_2,
  "packages/checks": ["contracts", "sandbox", "git"],
  "packages/broker": ["contracts", "sandbox"],
  "packages/agent": ["contracts", "git"],
  "services/planner": SERVICE,
  "services/dispatcher": SERVICE,
  "services/merger": SERVICE,
  "services/reconciler": SERVICE,
  "services/api": SERVICE,
  "services/broker": ["contracts", "service", "sandbox", "broker"],
  tools: [
    "contracts",
    "service",
    "git",
    "sandbox",
    "broker",
    "checks",
    "agent",
    "replay",
    "cli",
    "queue",
    "llm",
  ],
};

/** One owner per library. */
const OWNERS: Record<string, readonly string[]> = {
  bullmq: ["packages/queue"],
  ioredis: ["packages/queue"],
  openai: ["packages/llm"],
  cockatiel: ["packages/llm"],
  "simple-git": ["packages/git"],
  "@earendil-works": ["packages/agent"],
  fastify: ["services/api", "packages/replay"],
  "@fastify": ["services/api"],
  "@bull-board": ["services/api"],
  "prom-client": ["services/api"],
  pino: ["packages/service"],
  dockerode: ["packages/sandbox"],
  "tar-stream": ["packages/sandbox"],
  modal: ["packages/sandbox"],
};

const PACKAGES = [...new Set(Object.keys(MAY_IMPORT).map((dir) => dir.split("/").at(-1) ?? dir))];

function importRule(dir: string) {
  const allowed = MAY_IMPORT[dir] ?? [];
  const own = dir.split("/").at(-1);
  const foreign = PACKAGES.filter((name) => !allowed.includes(name) && name !== own);
  const libraries = Object.keys(OWNERS).filter((library) => !OWNERS[library]?.includes(dir));
  const patterns = [
    {
      group: foreign.flatMap((name) => [`@agentswarm/${name}`, `@agentswarm/${name}/**`]),
      message: `${dir} may import only: ${allowed.join(", ") || "nothing of ours"} (ARCHITECTURE.md, who may import whom).`,
    },
    {
      group: libraries.flatMap((library) => [library, `${library}/**`]),
      message: "This library has one owner (ARCHITECTURE.md); go through its package.",
    },
    {
      group: ["**/services/**", "**/packages/**"],
      message: "Import another package by its name.",
    },
  ];
  return ["error", { patterns }] as const;
}

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "promise", "node"],
  categories: { correctness: "error" },
  ignorePatterns: ["target-repo/**", "**/node_modules/**", ".swarm/**", "**/dist/**"],
  rules: {
    "import/no-cycle": "error",
    "max-lines": ["error", { max: 300, skipBlankLines: false, skipComments: false }],
    "typescript/no-floating-promises": "error",
    "typescript/consistent-type-imports": "error",
    "no-control-regex": "off",
    // Our interfaces are records of closures, which have no `this` to lose.
    "typescript/unbound-method": "off",
    "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  },
  overrides: [
    ...Object.keys(MAY_IMPORT).map((dir) => ({
      files: [`${dir}/**/*.ts`],
      rules: { "no-restricted-imports": importRule(dir) },
    })),
    { files: ["**/*.test.ts", "**/*.itest.ts", "**/testing/**"], rules: { "no-restricted-imports": "off" } },
  ],
});
