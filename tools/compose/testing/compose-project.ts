import { execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { waitUntil } from "../../../test/support/wait-until.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);
const OUTPUT_BYTES = 64 * 1024 * 1024;

/** The base images. */
const BASES = ["node:24-bookworm-slim", "redis:8-alpine"];
const PULL_TIMEOUT_MS = 180_000;

/** The command for compose on this machine, or null where Docker does not answer or cannot get the base images. */
export function findCompose(): string[] | null {
  const answers = (argv: readonly string[], timeout = 20_000) =>
    spawnSync(argv[0] ?? "", argv.slice(1), { stdio: "ignore", timeout }).status === 0;
  if (!answers(["docker", "info"])) return null;
  for (const base of BASES) {
    if (answers(["docker", "image", "inspect", base])) continue;
    if (!answers(["docker", "pull", "--quiet", base], PULL_TIMEOUT_MS)) return null;
  }
  return [["docker", "compose"], ["docker-compose"]].find((argv) => answers([...argv, "version"])) ?? null;
}

/** A swarm from the shipped docker-compose.yml, with a project name and a port of its own. */
export interface ComposeProject {
  readonly dir: string;
  readonly url: string;
  compose(args: readonly string[], env?: Record<string, string>): Promise<string>;
  /** Starts it and waits until every service is healthy. */
  up(args?: readonly string[], env?: Record<string, string>): Promise<void>;
  /** Runs a command in a new container of a service, with a file as its input or output. Returns its exit code. */
  runWith(args: readonly string[], files: { input?: string; output?: string }): Promise<number>;
  containers(service: string): Promise<string[]>;
  /** Kills a service's program and waits until its container is healthy again. */
  crash(service: string): Promise<void>;
  remove(): Promise<void>;
}

export function openProject(command: readonly string[], port: number): ComposeProject {
  const name = `swarm-test-${randomBytes(4).toString("hex")}`;
  const dir = mkdtempSync(join(tmpdir(), "swarm-compose-"));
  const [program = "", ...first] = command;
  const env = {
    ...process.env,
    // Both builders are supported; the classic one is always present.
    DOCKER_BUILDKIT: "0",
    COMPOSE_DOCKER_CLI_BUILD: "0",
    COMPOSE_PROJECT_NAME: name,
    // Tells the sandboxes of this swarm from those of others.
    QUEUE_PREFIX: name,
    API_PORT: String(port),
  };
  const argv = (args: readonly string[]) => [...first, "-f", join(ROOT, "docker-compose.yml"), ...args];
  const docker = async (args: readonly string[]) => (await run("docker", [...args])).stdout.trim();

  const project: ComposeProject = {
    dir,
    url: `http://127.0.0.1:${port}`,
    async compose(args, more = {}) {
      const options = { cwd: ROOT, env: { ...env, ...more }, maxBuffer: OUTPUT_BYTES };
      return (await run(program, argv(args), options)).stdout;
    },
    async up(args = [], more = {}) {
      await project.compose(["up", "-d", ...args], more);
      const services = ["redis", "broker", "planner", "dispatcher", "merger", "reconciler", "api", "model"];
      for (const service of services) await healthy(service);
    },
    async runWith(args, { input, output }) {
      const from = input === undefined ? ("ignore" as const) : openSync(input, "r");
      const to = output === undefined ? ("ignore" as const) : openSync(output, "w");
      const child = spawn(program, argv(["run", "--rm", "-T", ...args]), {
        cwd: ROOT,
        env,
        stdio: [from, to, "inherit"],
      });
      const [code] = (await once(child, "close")) as [number | null];
      for (const file of [from, to]) if (typeof file === "number") closeSync(file);
      return code ?? -1;
    },
    async containers(service) {
      return (await project.compose(["ps", "-q", service])).split("\n").filter((id) => id !== "");
    },
    async crash(service) {
      const [id = ""] = await project.containers(service);
      const restarts = await docker(["inspect", "--format", "{{.RestartCount}}", id]);
      const victim = service === "redis" ? "redis-server" : "node";
      // The container then exits and is restarted; after `docker kill` it would not be.
      await docker(["exec", id, "sh", "-c", `kill -9 $(pidof ${victim})`]).catch(() => undefined);
      await waitUntil(`the restart of ${service}`, 30_000, async () =>
        (await docker(["inspect", "--format", "{{.RestartCount}}", id])) === restarts ? null : true,
      );
      await healthy(service);
    },
    async remove() {
      await project.compose([
        "--profile",
        "demo",
        "--profile",
        "backup",
        "down",
        "--volumes",
        "--remove-orphans",
        "--timeout",
        "5",
      ]);
      rmSync(dir, { recursive: true, force: true });
    },
  };

  async function healthy(service: string): Promise<void> {
    await waitUntil(`${service} to be healthy`, 120_000, async () => {
      const ids = await project.containers(service);
      const states = await Promise.all(
        ids.map((id) => docker(["inspect", "--format", "{{.State.Health.Status}}", id])),
      );
      return states.length > 0 && states.every((state) => state === "healthy") ? true : null;
    });
  }
  return project;
}
