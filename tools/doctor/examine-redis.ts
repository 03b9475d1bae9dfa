import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { DoctorSettings } from "./config.ts";
import { formatBytes } from "./examine-sizes.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const NAME = "Redis";
const DEADLINE_MS = 2_000;
/** The part of maxmemory above which a Redis is warned about. */
const NEARLY_FULL = 0.8;

/** Sends inline commands and returns everything up to the `+OK` of the closing QUIT. */
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

/** Reads the settings of the server at REDIS_URL; without REDIS_URL looks for a server program to start. */
export async function examineRedis(settings: DoctorSettings, unpacks: ReadonlySet<string>): Promise<Finding> {
  if (settings.REDIS_URL === undefined) {
    const { SWARM_HOME: home } = settings;
    const log = await readFile(join(home, "logs/redis.log"), "utf8").catch(() => "");
    return judgeLog(log, join(home, "redis")) ?? examineBinary(settings.SWARM_REDIS_SERVER, unpacks);
  }
  let url: URL;
  try {
    url = new URL(settings.REDIS_URL);
  } catch {
    return fail(NAME, "REDIS_URL is not a URL", "write it as redis://host:6379");
  }
  let answer: string;
  try {
    answer = await ask(url, [
      "INFO persistence",
      "CONFIG GET maxmemory-policy",
      "INFO server",
      "INFO memory",
    ]);
  } catch (error) {
    return fail(NAME, `${url.host}: ${(error as Error).message}`, "start it, or correct REDIS_URL");
  }
  return judge(url.host, answer);
}

/** Judges the answers to INFO and CONFIG GET. */
export function judge(host: string, answer: string): Finding {
  if (/NOAUTH|WRONGPASS/.test(answer)) {
    return fail(NAME, `${host} demands a password`, "put it into REDIS_URL: redis://:password@host:6379");
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
      "set appendonly yes, so that nothing is lost when Redis crashes",
    );
  }
  const used = Number(/used_memory:(\d+)/.exec(answer)?.[1] ?? 0);
  const most = Number(/maxmemory:(\d+)/.exec(answer)?.[1] ?? 0);
  if (most === 0) {
    return warn(
      NAME,
      `${host} (${version}) holds ${formatBytes(used)} and has no maxmemory: it takes all memory there is`,
      "set maxmemory below what its machine or container has, as infra/redis.conf does",
    );
  }
  const memory = `${formatBytes(used)} of ${formatBytes(most)}`;
  if (used > NEARLY_FULL * most) {
    return warn(
      NAME,
      `${host} (${version}) is nearly full: ${memory}`,
      "raise maxmemory, or keep less: LEDGER_DAYS, VIEW_DAYS (docs/operations.md, What is kept)",
    );
  }
  return ok(NAME, `${host} (${version}), append-only file, noeviction, ${memory}`);
}

/** What Redis writes to its log when it does not start because of its own file. */
const BROKEN_FILE =
  /Bad file format reading the append only file|Unexpected end of file reading the append only file/;

/** Judges the log of the Redis that npm start runs; null: it says nothing of a broken file. */
export function judgeLog(log: string, dir: string): Finding | null {
  if (!BROKEN_FILE.test(log)) return null;
  return fail(
    NAME,
    "does not start: its append-only file is broken",
    `keep a copy of ${dir}, then run redis-check-aof --fix ${dir}/appendonlydir/appendonly.aof.manifest`,
  );
}

function examineBinary(binary: string, unpacks: ReadonlySet<string>): Finding {
  const { stdout, error } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  if (error !== undefined && unpacks.has("redis-server"))
    return ok(NAME, "no server here yet: npm start unpacks one");
  if (error !== undefined) {
    return fail(
      NAME,
      "no server found",
      "apt-get install redis-server, brew install redis, or set REDIS_URL",
    );
  }
  return ok(NAME, `${stdout.split(" sha=")[0]?.trim()} (started by npm start)${noteOvercommit()}`);
}

const OVERCOMMIT = "/proc/sys/vm/overcommit_memory";

/** Redis warns of this setting of Linux at every start. */
function noteOvercommit(): string {
  if (!existsSync(OVERCOMMIT) || readFileSync(OVERCOMMIT, "utf8").trim() === "1") return "";
  return "; its warning about overcommit is harmless here unless memory is short (sudo sysctl vm.overcommit_memory=1 ends it)";
}
