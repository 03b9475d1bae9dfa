/** A Redis for one test file. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** The queue prefix of the test; other prefixes of the test start with it. No other test on the server has it. */
  readonly prefix: string;
  /** The server answers no command until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Kills the server and starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisOptions {
  /** Why the test needs a server of its own, for example because it pauses, fills or flushes the server. */
  readonly exclusive?: string;
  /** Keeps an append-only file that is synced at every write, so that a killed server loses nothing. */
  readonly durable?: boolean;
  /** Arguments of redis-server. */
  readonly args?: readonly string[];
}

/** The prefix on a server of the test's own: the default of QUEUE_PREFIX. */
export const OWN_PREFIX = "swarm";

/** The arguments that process and container share. */
export function redisArgs({ durable, args = [] }: RedisOptions): string[] {
  const always = ["--save", "", "--maxmemory-policy", "noeviction"];
  return [...always, ...(durable ? ["--appendonly", "yes", "--appendfsync", "always"] : []), ...args];
}
