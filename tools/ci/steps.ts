import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One command of the project's checks. */
export interface Step {
  readonly name: string;
  /** Arguments for the running Node. */
  readonly args: string[];
  /** The file that the test runner writes its counts to; only for test steps, which take test files as arguments. */
  readonly report?: string;
}

const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The script of a package's command, so that it runs with the same Node as this process. */
function bin(pkg: string, name = pkg): string {
  const manifest = join(MODULES, pkg, "package.json");
  const { bin: bins } = JSON.parse(readFileSync(manifest, "utf8")) as {
    bin: string | Record<string, string>;
  };
  const file = typeof bins === "string" ? bins : bins[name];
  if (file === undefined) throw new Error(`${pkg} has no command ${name}`);
  return join(dirname(manifest), file);
}

/**
 * The steps of `npm run check` and `npm test`: stages run one after another; the lanes of a stage run in parallel, and
 * the steps of a lane in order. Reports are written to `dir`.
 */
export function stagesOf(command: "check" | "test", dir: string): Step[][][] {
  const vitest = (project: string): Step => {
    const report = join(dir, `${project}.json`);
    const args = [bin("vitest"), "run", "--project", project, "--reporter=default", "--reporter=json"];
    return { name: project, args: [...args, `--outputFile.json=${report}`], report };
  };
  const check = [
    { name: "format", args: [bin("oxfmt"), "--check", "."] },
    { name: "lint", args: [bin("oxlint"), "--type-aware"] },
    { name: "types", args: [bin("typescript", "tsc"), "--noEmit"] },
    { name: "knip", args: [bin("knip"), "--no-tag-hints"] },
    // Finds exports that only tests use. Types are left out: they belong to the functions that return them.
    {
      name: "knip-production",
      args: [bin("knip"), "--production", "--include-entry-exports", "--exclude", "types"],
    },
    vitest("unit"),
  ];
  if (command === "check") return [[check]];
  // Most tests wait for processes, so two lanes run side by side; each takes about as long as the other.
  return [
    [check],
    [
      [vitest("integration"), vitest("system")],
      [vitest("journey"), vitest("compose")],
    ],
  ];
}
