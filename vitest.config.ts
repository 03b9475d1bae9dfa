import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "target-repo/**", ".swarm/**"];

const integration = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // One less by default; these tests often wait for processes, and the journeys run beside them.
  maxWorkers: 2,
};

/**
 * `unit`: pure, no process or file outside the test. `integration`: real Redis, real git, real processes, each
 * test file with a server and folders of its own, so that files can run side by side.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["**/*.test.ts"], exclude } },
      {
        test: {
          ...integration,
          name: "integration",
          include: ["{packages,services,tools}/**/*.itest.ts"],
          exclude: [...exclude, "tools/compose/**"],
        },
      },
      // What spans several packages and services: attacks, the agent, the command line.
      {
        test: {
          ...integration,
          name: "system",
          include: ["test/**/*.itest.ts"],
          exclude: [...exclude, "test/journeys/**"],
        },
      },
      {
        test: {
          name: "journey",
          include: ["test/journeys/**/*.itest.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      // Only where Docker answers; says so where it does not.
      {
        test: {
          name: "compose",
          include: ["tools/compose/**/*.itest.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
