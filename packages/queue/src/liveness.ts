import { readlinkSync } from "node:fs";
import { describeProcess, ownerSchema, ownerState } from "@agentswarm/contracts/node";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Report } from "./throttle-report.ts";

/** Times in milliseconds; only tests need other values. */
export interface LivenessTimes {
  /** How often a connection renews its heartbeat. */
  readonly beatEveryMs: number;
  /**
   * How long a heartbeat lasts. A connection that is away for five seconds is back in time: its last beat may be one
   * second old when it breaks, and ioredis tries again every second.
   */
  readonly silentAfterMs: number;
  /** After a reconnect of this connection the others need a moment until they are connected again. */
  readonly quietMs: number;
}

/** @testonly */
export const TIMES: LivenessTimes = { beatEveryMs: 1_000, silentAfterMs: 8_000, quietMs: 5_000 };

/** Tells a process that died from one whose connection is away for a moment (decision 013). */
export interface Liveness {
  /** For a while after a reconnect, absence proves nothing. */
  isQuiet(): boolean;
  /** The connections of these ids that are certainly gone: what they held is free. */
  findDead(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Ends the heartbeat, so that others need not wait for its end. */
  stop(): Promise<void>;
}

/** What the heartbeat says: where its process runs. */
const processSchema = ownerSchema.extend({
  /** Two containers may have one host name and the same pids; null without /proc. */
  pidNamespace: z.string().nullable(),
});

export async function startLiveness(options: {
  readonly redis: Redis;
  /** Id of this connection, and the name by which CLIENT LIST shows it. */
  readonly id: string;
  /** The key of a connection's heartbeat. */
  readonly keyOf: (id: string) => string;
  readonly report: Report;
  readonly times?: Partial<LivenessTimes> | undefined;
}): Promise<Liveness> {
  const { redis, id, keyOf, report } = options;
  const { beatEveryMs, silentAfterMs, quietMs } = { ...TIMES, ...options.times };
  const key = keyOf(id);
  const pidNamespace = ownPidNamespace();
  const own = JSON.stringify({ ...describeProcess(process.pid), pidNamespace });

  let beating = false;
  const beat = async () => {
    // While Redis is away one beat waits in ioredis for the reconnect.
    if (beating) return;
    beating = true;
    try {
      // A full Redis refuses SET but not PEXPIRE.
      if ((await redis.pexpire(key, silentAfterMs)) === 0) await redis.set(key, own, "PX", silentAfterMs);
    } catch (error) {
      report(error);
    } finally {
      beating = false;
    }
  };
  await beat();
  const timer = setInterval(() => void beat(), beatEveryMs);
  timer.unref();

  let quietUntil = 0;
  const onReady = () => {
    quietUntil = performance.now() + quietMs;
  };
  redis.on("ready", onReady);
  const isQuiet = () => performance.now() < quietUntil;

  /** Whether the process of this heartbeat ran beside this one and has ended. */
  const isGone = (heartbeat: string): boolean => {
    const parsed = processSchema.safeParse(parseJson(heartbeat));
    return parsed.success && parsed.data.pidNamespace === pidNamespace && ownerState(parsed.data) === "gone";
  };

  return {
    isQuiet,
    async findDead(ids) {
      const dead = new Set<string>();
      const silent: string[] = [];
      const heartbeats = ids.length === 0 ? [] : await redis.mget(ids.map(keyOf));
      for (const [index, other] of ids.entries()) {
        const heartbeat = heartbeats[index] ?? null;
        if (heartbeat === null) silent.push(other);
        else if (isGone(heartbeat)) dead.add(other);
      }
      if (silent.length === 0 || isQuiet()) return dead;
      const connected = await connectedIds(redis);
      // Without this connection in it the list is incomplete or unavailable, so it proves nothing about others.
      if (connected.has(id)) for (const other of silent) if (!connected.has(other)) dead.add(other);
      return dead;
    },
    async stop() {
      clearInterval(timer);
      redis.off("ready", onReady);
      if (redis.status === "ready") await redis.del(key).catch(() => undefined);
    },
  };
}

/** The ids of all connected clients: by their own name, or by that of their BullMQ worker (`<queue>:w:<id>/<number>`). */
async function connectedIds(redis: Redis): Promise<ReadonlySet<string>> {
  const clients = String(await redis.call("CLIENT", "LIST"));
  const names = clients.matchAll(/ name=(\S*)/g);
  return new Set(Array.from(names, ([, name = ""]) => idOf(name.split(":w:").at(-1) ?? "")));
}

/** The connection's id in the name of a worker, or in the token of a lease or slot. */
export function idOf(name: string): string {
  return name.split("/")[0] ?? "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function ownPidNamespace(): string | null {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null;
  }
}
