import { defineConfig } from "oxlint";

/** Which of our packages each folder may import; any other import is an error. See ARCHITECTURE.md. */
const FLOOR_2 = ["contracts"];
const SERVICE = ["contracts", "queue", "service", "git", "llm", "sandbox", "checks", "wiring"];
const EVERY_PACKAGE = [...SERVICE, "broker", "agent", "replay", "client", "cli"];
const MAY_IMPORT: Record<string, readonly string[]> = {
  "packages/contracts": [],
  "packages/queue": FLOOR_2,
  "packages/service": FLOOR_2,
  "packages/git": FLOOR_2,
  "packages/llm": FLOOR_2,
  "packages/sandbox": FLOOR_2,
  "packages/replay": FLOOR_2,
  "packages/client": FLOOR_2,
  "packages/cli": ["contracts", "client"],
  "packages/checks": ["contracts", "sandbox", "git"],
  "packages/broker": ["contracts", "sandbox"],
  "packages/wiring": ["contracts", "queue", "service", "git", "sandbox", "broker"],
  "packages/agent": ["contracts", "git"],
  "services/planner": SERVICE,
  "services/dispatcher": SERVICE,
  "services/merger": SERVICE,
  "services/reconciler": SERVICE,
  "services/api": SERVICE,
  "services/broker": ["contracts", "service", "sandbox", "broker"],
  tools: EVERY_PACKAGE,
  bench: EVERY_PACKAGE,
};

/** Packages and libraries that a folder's tests may import besides. */
const TESTS_MAY_IMPORT: Record<string, readonly string[]> = {
  // The real agent asks the recorded model through the gateway; OpenAI's client is one of the gateway's consumers.
  "services/dispatcher": ["agent", "replay", "openai"],
  // OpenAI's client reads what the recorded model answers.
  "packages/replay": ["openai"],
  // Settings of sandboxes are parsed as services parse them.
  "packages/broker": ["service"],
};

/**
 * Imports into other folders by path. `test/support` is open to every test; `test/` itself has no import rule, so a test
 * that needs two services, or a package and a service, belongs there.
 */
const BY_PATH: Record<string, readonly string[]> = {
  // It measures the gateway alone, which a whole dispatcher with its sandboxes would hide.
  "bench/gateway": ["services/dispatcher/src/gateway", "test/support"],
  // It measures the real merger process against an origin of its own.
  "bench/landing": ["services/merger/testing"],
  // Each service is started with the settings of its own schema.
  "tools/local": ["services/*/src"],
  // It measures the planner's ledger and the api's read model alone, through their own code.
  "bench/state": ["services/planner", "services/api", "test/support"],
  // It measures what people say and decide through real processes, beside scripted ones.
  "bench/people": ["services/*/testing", "test/support", "tools/local", "bench/swarm"],
  // It measures the whole swarm as `npm start` brings it up.
  "bench/swarm": ["tools/local"],
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

const TESTS = ["*.test.ts", "*.itest.ts", "testing/**"];
const PACKAGES = [...new Set(Object.keys(MAY_IMPORT).map((dir) => dir.split("/").at(-1) ?? dir))];

function importRule(dir: string, kind: "product" | "test") {
  const [owner = dir] = Object.keys(MAY_IMPORT).filter((one) => dir === one || dir.startsWith(`${one}/`));
  const besides = kind === "test" ? (TESTS_MAY_IMPORT[owner] ?? []) : [];
  const allowed = [...(MAY_IMPORT[owner] ?? []), ...besides];
  const own = owner.split("/").at(-1);
  const foreign = PACKAGES.filter((name) => !allowed.includes(name) && name !== own);
  const libraries = Object.keys(OWNERS).filter(
    (library) => !OWNERS[library]?.includes(owner) && !allowed.includes(library),
  );
  const roots = ["services", "packages", "bench", "tools", "test"].filter((root) => root !== owner);
  const byPath = [...(BY_PATH[dir] ?? []), ...(kind === "test" ? ["test/support"] : [])];
  const patterns = [
    {
      group: foreign.flatMap((name) => [`@agentswarm/${name}`, `@agentswarm/${name}/**`]),
      message: `${owner} may import only: ${allowed.join(", ") || "nothing of ours"} (ARCHITECTURE.md, who may import whom).`,
    },
    {
      group: libraries.flatMap((library) => [library, `${library}/**`]),
      message: "This library has one owner (ARCHITECTURE.md); go through its package.",
    },
    {
      group: [...roots.map((root) => `../**/${root}/**`), ...byPath.map((path) => `!../**/${path}/**`)],
      message: "Import another package by its name; only tests may import test/support, by its path.",
    },
  ];
  return [
    "error",
    { patterns: patterns.filter(({ group }) => group === undefined || group.length > 0) },
  ] as const;
}

/** The only files that may read the environment of the process. Tests read it too, to pass it on to processes. */
const READ_ENVIRONMENT = [
  // Entry files: they hand the environment on, or parse it with a schema.
  "packages/service/src/run-service.ts",
  "packages/cli/src/main.ts",
  "packages/agent/src/main.ts",
  "services/api/src/keys-main.ts",
  "tools/bootstrap/*.mjs",
  "tools/*/main.ts",
  "tools/*/*-main.ts",
  "bench/*/main.ts",
  // The environment of a child process: PATH, HOME and the variables of proxies are passed on.
  "packages/agent/src/command/agent-home.ts",
  "packages/agent/src/check-work-tree.ts",
  "packages/checks/src/install/installer.mjs",
  "packages/git/src/git-environment.ts",
  "packages/sandbox/src/local/toolchain.ts",
  // FAILPOINT, which tests set to crash a service at a named step.
  "packages/contracts/src/**/failpoint.ts",
];
const READS_ENVIRONMENT = {
  object: "process",
  property: "env",
  message: "Only entry files read the environment, through parseEnv; pass settings on (READ_ENVIRONMENT).",
};

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "promise", "node"],
  categories: { correctness: "error" },
  ignorePatterns: ["target-repo/**", "**/node_modules/**", ".swarm/**", "**/dist/**"],
  rules: {
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "max-lines": ["error", { max: 300, skipBlankLines: false, skipComments: false }],
    "no-restricted-properties": ["error", READS_ENVIRONMENT],
    "typescript/no-floating-promises": "error",
    "typescript/consistent-type-imports": "error",
    "no-control-regex": "off",
    // Our interfaces are records of closures, which have no `this` to lose.
    "typescript/unbound-method": "off",
    "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  },
  overrides: [
    ...[...Object.keys(MAY_IMPORT), ...Object.keys(BY_PATH)].flatMap((dir) => [
      { files: [`${dir}/**/*.ts`], rules: { "no-restricted-imports": importRule(dir, "product") } },
      {
        files: TESTS.map((test) => `${dir}/**/${test}`),
        rules: { "no-restricted-imports": importRule(dir, "test") },
      },
    ]),
    {
      files: [...READ_ENVIRONMENT, "test/**", ...TESTS.map((test) => `**/${test}`)],
      rules: { "no-restricted-properties": "off" },
    },
  ],
});
