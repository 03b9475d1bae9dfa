import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const BUILD_TIMEOUT_MS = 300_000;

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
  const built = docker(["build", "-t", image, "-f", "infra/sandbox.Dockerfile", "infra"], BUILD_TIMEOUT_MS);
  if (built.status !== 0) throw new Error(`the sandbox's image could not be built: ${built.stderr}`);
  return true;
}
