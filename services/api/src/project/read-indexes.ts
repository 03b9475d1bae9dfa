import type { FeatureStatus } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { ViewKeys } from "./view-keys.ts";

/** Where the indexes are. */
interface Indexes {
  readonly redis: QueueConnection["redis"];
  readonly keys: ViewKeys;
}

/** Tasks of one feature that are shown: the newest of more. */
const TASKS_SHOWN = 1_000;
const TIME_DIGITS = 15;

/** The entry of a feature in an index: sorts by the time of submission, then by id. It is the cursor of lists, too. */
export function featureMember(createdAt: number, id: string): string {
  return `${timeText(createdAt)}-${id}`;
}

/** The entry of a task: the tasks of a feature are together, in the order in which they were planned. */
export function taskMember(featureId: string, at: number, taskId: string): string {
  return `${featureId} ${timeText(at)} ${taskId}`;
}

function timeText(at: number): string {
  return String(at).padStart(TIME_DIGITS, "0");
}

/** Ids of features, newest first, after `cursor`, and the cursor of the next page; null on the last page. */
export async function pageOfFeatures(
  { redis, keys }: Indexes,
  status: FeatureStatus | "all",
  cursor: string | undefined,
  limit: number,
): Promise<{ ids: string[]; cursorOf(id: string): string; cursor: string | null }> {
  const from = cursor === undefined ? "+" : `(${cursor}`;
  const members = await redis.zrevrangebylex(keys.index(status), from, "-", "LIMIT", 0, limit + 1);
  const page = members.slice(0, limit);
  const byId = new Map(page.map((member) => [member.slice(TIME_DIGITS + 1), member]));
  return {
    ids: [...byId.keys()],
    cursorOf: (id) => byId.get(id) ?? "",
    cursor: members.length > limit ? (page.at(-1) ?? null) : null,
  };
}

/** Ids of the features that were submitted before a time, oldest first. */
export async function oldestFeatures(
  { redis, keys }: Indexes,
  status: FeatureStatus | "all",
  before: number,
  limit: number,
): Promise<string[]> {
  const end = `(${featureMember(before, "")}`;
  const members = await redis.zrangebylex(keys.index(status), "-", end, "LIMIT", 0, limit);
  return members.map((member) => member.slice(TIME_DIGITS + 1));
}

/** A feature's tasks with the time of their planning, in that order. */
export async function tasksOf(
  { redis, keys }: Indexes,
  featureId: string,
): Promise<{ id: string; at: number }[]> {
  // `!` is the character after the space that ends the feature's id.
  const range = [`(${featureId}!`, `[${featureId} `] as const;
  const members = await redis.zrevrangebylex(keys.featureTasks, ...range, "LIMIT", 0, TASKS_SHOWN);
  return members.toReversed().map((member) => {
    const [, at, id = ""] = member.split(" ");
    return { id, at: Number(at) };
  });
}
