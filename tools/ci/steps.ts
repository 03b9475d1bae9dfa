import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One command of the project's checks. */
export interface Step {
  readonly name: string;
  /** Arguments for the running Node. */
  readonly args: string[];
  /** Where the test runner leaves its counts; only for test steps. */
  readonly report?: string;
}

const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** The script behind a package's command, so that it runs with this very Node. */
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
 * What `npm run check` and `npm test` run: one stage after another, and in a stage its lanes side by side, each in
 * order. `dir` is for the reports.
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
    { name: "knip", args: [bin("knip")] },
    vitest("unit"),
  ];
  if (command === "check") return [[check]];
  // Journeys and containers mostly wait for one another's services.
  return [[check], [[vitest("integration")], [vitest("journey"), vitest("compose")]]];
}
