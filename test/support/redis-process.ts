import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { OWN_PREFIX, redisArgs, type RedisOptions, type TestRedis } from "./redis-server.ts";

/** redis-server as a process of the test's own, with its own port and folder. */
export async function startRedisProcess(options: RedisOptions): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), "swarm-redis-"));
  const port = await freePort();
  const binary = process.env["SWARM_REDIS_SERVER"] ?? "redis-server";
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, ...redisArgs(options)];

  const launch = async () => {
    const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    await new Promise<void>((resolve, reject) => {
      let seen = "";
      child.once("error", (error) =>
        reject(
          new Error(
            `${binary} does not start (${error.message}): install Redis, or set SWARM_REDIS_SERVER, REDIS_URL or TEST_REDIS_IMAGE`,
          ),
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
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const stop = async () => {
    await kill();
    await rm(dir, { recursive: true, force: true });
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    prefix: OWN_PREFIX,
    pause: async () => void child.kill("SIGSTOP"),
    resume: async () => void child.kill("SIGCONT"),
    async restart() {
      await kill();
      child = await launch();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
