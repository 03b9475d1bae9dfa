import type { QueueConnection } from "../connect.ts";

/** What was spent under a name so far, by all replicas together. */
export interface Spend {
  readonly costUsd: number;
  /** Prompt and completion tokens together. */
  readonly tokens: number;
}

const ADD = `
local cost = redis.call("HINCRBYFLOAT", KEYS[1], "costUsd", ARGV[1])
local tokens = redis.call("HINCRBY", KEYS[1], "tokens", ARGV[2])
return {cost, tostring(tokens)}`;

/** Adds to what was spent and gives back the new sum, so that a caller sees by itself whether a cap is reached. */
export async function addSpend(connection: QueueConnection, name: string, spend: Spend): Promise<Spend> {
  const key = connection.key("spend", name);
  const answer = (await connection.redis.eval(ADD, 1, key, spend.costUsd, spend.tokens)) as [string, string];
  return { costUsd: Number(answer[0]), tokens: Number(answer[1]) };
}

export async function readSpend(connection: QueueConnection, name: string): Promise<Spend> {
  const [costUsd, tokens] = await connection.redis.hmget(connection.key("spend", name), "costUsd", "tokens");
  return { costUsd: Number(costUsd ?? 0), tokens: Number(tokens ?? 0) };
}
