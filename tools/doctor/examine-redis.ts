import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "Redis";
const DEADLINE_MS = 2_000;

/** Sends inline commands and gives back all that comes until `+OK` of the closing QUIT. */
function ask(url: URL, commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port || 6379) });
    let answer = "";
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
    socket.on("connect", () => {
      const login = url.password ? [`AUTH ${url.username || "default"} ${url.password}`] : [];
      socket.write([...login, ...commands, "QUIT", ""].join("\r\n"));
    });
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

/** Reads a running server's settings; without REDIS_URL only looks for a server to start. */
export async function examineRedis(env: NodeJS.ProcessEnv): Promise<Finding> {
  if (!env["REDIS_URL"]) return examineBinary(env["SWARM_REDIS_SERVER"] ?? "redis-server");
  let url: URL;
  try {
    url = new URL(env["REDIS_URL"]);
  } catch {
    return fail(NAME, "REDIS_URL is no URL", "write it as redis://host:6379");
  }
  let answer: string;
  try {
    answer = await ask(url, ["INFO persistence", "CONFIG GET maxmemory-policy", "INFO server"]);
  } catch (error) {
    return fail(NAME, `${url.host}: ${(error as Error).message}`, "start it, or correct REDIS_URL");
  }
  return judge(url.host, answer);
}

/** What the answers to INFO and CONFIG GET tell. */
export function judge(host: string, answer: string): Finding {
  if (/NOAUTH|WRONGPASS/.test(answer)) {
    return fail(NAME, `${host} wants a password`, "put it into REDIS_URL: redis://:password@host:6379");
  }
  const version = /redis_version:(\S+)/.exec(answer)?.[1] ?? "of unknown version";
  const policy = /maxmemory-policy\r\n\$\d+\r\n(\S+)/.exec(answer)?.[1];
  if (policy !== undefined && policy !== "noeviction") {
    return fail(NAME, `${host} evicts keys (maxmemory-policy ${policy})`, "set maxmemory-policy noeviction");
  }
  if (/aof_last_write_status:err/.test(answer)) {
    return fail(NAME, `${host} cannot write its append-only file`, "free space, then redis-check-aof --fix");
  }
  if (!/aof_enabled:1/.test(answer)) {
    return warn(
      NAME,
      `${host} (${version}) keeps no append-only file`,
      "set appendonly yes to survive its crash",
    );
  }
  return ok(NAME, `${host} (${version}), append-only file, noeviction`);
}

function examineBinary(binary: string): Finding {
  const { stdout, error } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  if (error !== undefined) {
    return fail(
      NAME,
      "no server found",
      "apt-get install redis-server, brew install redis, or set REDIS_URL",
    );
  }
  return ok(NAME, `${stdout.split(" sha=")[0]?.trim()} (started by npm start)`);
}
