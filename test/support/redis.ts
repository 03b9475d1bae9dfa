import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../tools/local/free-port.ts";

export { freePort };

export interface TestRedis {
  readonly url: string;
  readonly pid: number | null;
  /** Starts the server again on the same port and data after it was killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A real redis-server of the test's own, on its own port and folder. With `durable` it keeps an append-only
 * file fsynced at every write, so that it can be killed and restarted without loss.
 */
export async function startRedis(options: { durable?: boolean; args?: string[] } = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "swarm-redis-"));
  const port = await freePort();
  const binary = process.env["SWARM_REDIS_SERVER"] ?? "redis-server";
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", ""];
  args.push("--maxmemory-policy", "noeviction");
  if (options.durable) args.push("--appendonly", "yes", "--appendfsync", "always");
  args.push(...(options.args ?? []));

  const launch = async () => {
    const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    await new Promise<void>((resolve, reject) => {
      let seen = "";
      child.once("error", (error) =>
        reject(
          new Error(`${binary} does not start (${error.message}); install Redis or set SWARM_REDIS_SERVER`),
        ),
      );
      child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}: ${seen}`)));
      child.stdout.on("data", (chunk: Buffer) => {
        seen = (seen + chunk.toString()).slice(-4_000);
        if (seen.includes("Ready to accept connections")) resolve();
      });
    });
    child.removeAllListeners("exit");
    return child;
  };

  let child = await launch();
  const ended = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? null;
    },
    async restart() {
      await ended();
      child = await launch();
    },
    async stop() {
      await ended();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
