import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openProcessGroups } from "./process-groups.ts";
import { stagesOf, type Step } from "./steps.ts";

const HELP = `npm run check: format, lint, types, unused code, unit tests
npm test:      the same, the suites with real Redis, git and processes, the journeys, and the swarm
               in containers where Docker answers

  --only <step>   run only one step: format, lint, types, knip, knip-production, unit,
                  integration, system, journey, compose
  --help          this text
`;

/** The time that a step has to end after a signal. */
const GRACE_MS = 5_000;

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const dir = mkdtempSync(join(tmpdir(), "swarm-ci-"));
  const groups = openProcessGroups();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // Ctrl-C arrives twice, from the terminal and through run.mjs; the second one must not skip the clean-up.
    process.on(signal, () => {
      void groups.stop(GRACE_MS).then(() => {
        rmSync(dir, { recursive: true, force: true });
        process.exit(128 + constants.signals[signal]);
      });
    });
  }
  const failed: string[] = [];
  const total = { passed: 0, failed: 0, skipped: 0 };
  const runLane = async (steps: readonly Step[]) => {
    for (const step of steps) {
      if (values.only !== undefined && values.only !== step.name) continue;
      const startedAt = performance.now();
      process.stdout.write(`\n── ${step.name}\n`);
      const code = await groups.run(step.args);
      if (code !== 0) failed.push(step.name);
      if (step.report !== undefined) addReport(step.report, total);
      const tookMs = Math.round(performance.now() - startedAt);
      process.stdout.write(`── ${step.name}: ${code === 0 ? "ok" : "FAILED"} in ${tookMs} ms\n`);
    }
  };
  for (const lanes of stagesOf(positionals[0] === "check" ? "check" : "test", dir)) {
    await Promise.all(lanes.map(runLane));
  }
  rmSync(dir, { recursive: true, force: true });
  if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(", ")}\n`);
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return failed.length === 0 ? 0 : 1;
}

function addReport(file: string, total: { passed: number; failed: number; skipped: number }): void {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as Report;
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests;
    total.skipped += report.numPendingTests;
  } catch {
    // The runner crashed before it wrote its report; its exit code has marked the step as failed.
  }
}

process.exitCode = await main();
