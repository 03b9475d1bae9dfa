import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const BUILD_TIMEOUT_MS = 300_000;
const PULL_TIMEOUT_MS = 180_000;
const BASE = "node:24-bookworm-slim";

/**
 * Whether Docker answers here; builds the sandbox's image when it is missing. Says aloud when the tests that need it
 * are left out.
 */
export function findDocker(image: string): boolean {
  const docker = (args: string[], timeout: number) =>
    spawnSync("docker", args, { cwd: ROOT, encoding: "utf8", timeout });
  if (docker(["info"], 10_000).status !== 0) {
    console.warn("Docker does not answer here: its sandboxes are NOT tested");
    return false;
  }
  if (docker(["image", "inspect", image], 10_000).status === 0) return true;
  const hasBase = docker(["image", "inspect", BASE], 10_000).status === 0;
  if (!hasBase && docker(["pull", "--quiet", BASE], PULL_TIMEOUT_MS).status !== 0) {
    console.warn(`Docker cannot get ${BASE} here: its sandboxes are NOT tested`);
    return false;
  }
  const built = docker(["build", "-t", image, "-f", "infra/sandbox.Dockerfile", "infra"], BUILD_TIMEOUT_MS);
  if (built.status !== 0) throw new Error(`the sandbox's image could not be built: ${built.stderr}`);
  return true;
}

/** Removes the volumes that hold what this very process has carried in; content is otherwise kept for a week. */
export function removeSuiteContent(): void {
  const docker = (args: string[]) => spawnSync("docker", args, { encoding: "utf8", timeout: 30_000 }).stdout;
  const format = '{{.Name}} {{index .Labels "agentswarm.content"}}';
  const names = docker(["volume", "ls", "-q", "--filter", "label=agentswarm.content"]).split("\n");
  const described = docker(["volume", "inspect", "--format", format, ...names.filter(Boolean)]).split("\n");
  const own = described.filter((line) => line.split(" ")[1]?.startsWith(`suite-${process.pid}-`));
  if (own.length > 0) docker(["volume", "rm", ...own.map((line) => line.split(" ")[0] ?? "")]);
}
