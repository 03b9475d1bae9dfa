import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { openProcessGroups } from "./process-groups.ts";
import { type Failure, readReport, type TestCounts } from "./reports.ts";
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

/** How a step ended. */
interface Outcome {
  readonly step: Step;
  readonly ok: boolean;
  /** Null for a step without tests, and where the runner crashed before it wrote its report. */
  readonly counts: TestCounts | null;
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
  const runStep = async (step: Step, files: readonly string[] = []): Promise<Outcome> => {
    const startedAt = performance.now();
    process.stdout.write(`\n── ${step.name}\n`);
    const ok = (await groups.run([...step.args, ...files])) === 0;
    const tookMs = Math.round(performance.now() - startedAt);
    process.stdout.write(`── ${step.name}: ${ok ? "ok" : "FAILED"} in ${tookMs} ms\n`);
    return { step, ok, counts: step.report === undefined ? null : readReport(step.report) };
  };
  const outcomes: Outcome[] = [];
  for (const lanes of stagesOf(positionals[0] === "check" ? "check" : "test", dir)) {
    const runLane = async (steps: readonly Step[]) => {
      for (const step of steps) {
        if (values.only === undefined || values.only === step.name) outcomes.push(await runStep(step));
      }
    };
    await Promise.all(lanes.map(runLane));
  }
  const unstable: Failure[] = [];
  for (const [index, { step, ok, counts }] of outcomes.entries()) {
    if (ok || counts === null || counts.failures.length === 0) continue;
    // Lanes and test files that share two cores can starve one another; what fails alone, too, is a failure.
    const again = await runStep(step, [...new Set(counts.failures.map((failure) => failure.file))]);
    const left = again.counts ?? counts;
    const passed = counts.passed + counts.failed - left.failed;
    outcomes[index] = { ...again, counts: { ...counts, ...left, passed, skipped: counts.skipped } };
    if (again.ok) unstable.push(...counts.failures);
  }
  rmSync(dir, { recursive: true, force: true });
  return summarize(outcomes, unstable);
}

/** The end of the output names every failure, because a log is often kept by its end. Returns the exit code. */
function summarize(outcomes: readonly Outcome[], unstable: readonly Failure[]): number {
  const failed = outcomes.filter((outcome) => !outcome.ok);
  const print = ({ file, test, message }: Failure) => {
    const lines = message.split("\n").filter((line) => !line.includes("/node_modules/"));
    process.stdout.write(`\n${relative(process.cwd(), file)} > ${test}\n${lines.slice(0, 20).join("\n")}\n`);
  };
  if (unstable.length > 0) {
    process.stdout.write("\nFailed beside other tests, and passed when run again alone:\n");
    unstable.forEach(print);
  }
  if (failed.length > 0) {
    process.stdout.write(`\nFailed: ${failed.map(({ step }) => step.name).join(", ")}\n`);
    failed.flatMap(({ counts }) => counts?.failures ?? []).forEach(print);
  }
  const sum = (field: "passed" | "failed" | "skipped") =>
    outcomes.reduce((total, { counts }) => total + (counts?.[field] ?? 0), 0);
  process.stdout.write(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped\n`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
