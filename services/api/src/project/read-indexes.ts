import type { DecisionState, FeatureStatus } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { DecisionPlace } from "./project-decision.ts";
import type { ViewKeys } from "./view-keys.ts";

/** Where the indexes are. */
interface Indexes {
  readonly redis: QueueConnection["redis"];
  readonly keys: ViewKeys;
}

/** Tasks and decisions of one feature that are shown: the newest of more. */
const SHOWN_WITHIN = 1_000;
const TIME_DIGITS = 15;
/** The time of decisions that wait without an end: they come behind all others. */
const NO_END = 10 ** TIME_DIGITS - 1;

/** The entry of a feature in an index: sorts by the time of submission, then by id. It is the cursor of lists, too. */
export function featureMember(createdAt: number, id: string): string {
  return `${timeText(createdAt)}-${id}`;
}

/** The entry of a task or decision: those of one feature or task are together, in the order of their beginning. */
export function memberWithin(subjectId: string, at: number, id: string): string {
  return `${subjectId} ${timeText(at)} ${id}`;
}

/** Decisions sort by the time when they are due while they are open, then by the time of their end. */
export function decisionMember({ id, state, askedAt, dueAt, endedAt }: DecisionPlace): string {
  return `${timeText(state === "open" ? (dueAt ?? NO_END) : (endedAt ?? askedAt))}-${id}`;
}

/** The entries of a decision in all indexes. */
export function decisionEntries(
  keys: ViewKeys,
  place: DecisionPlace,
): { key: string; score: number; member: string }[] {
  const { id, kind, featureId, taskId, state, askedAt } = place;
  return [
    { key: keys.decisions(state), score: 0, member: decisionMember(place) },
    ...(state === "open" ? [{ key: keys.openDecisions(kind), score: askedAt, member: id }] : []),
    { key: keys.featureDecisions, score: 0, member: memberWithin(featureId, askedAt, id) },
    ...(taskId === null
      ? []
      : [{ key: keys.taskDecisions, score: 0, member: memberWithin(taskId, askedAt, id) }]),
  ];
}

function timeText(at: number): string {
  return String(at).padStart(TIME_DIGITS, "0");
}

/** One page of ids from an index of members `<time>-<id>`. */
export interface IndexPage {
  readonly ids: string[];
  /** The cursor behind one of the page's ids. */
  cursorOf(id: string): string;
  /** The cursor of the next page; null on the last page. */
  readonly cursor: string | null;
}

/** Ids of features, newest first, after `cursor`. */
export async function pageOfFeatures(
  { redis, keys }: Indexes,
  status: FeatureStatus | "all",
  cursor: string | undefined,
  limit: number,
): Promise<IndexPage> {
  const from = cursor === undefined ? "+" : `(${cursor}`;
  return pageOf(await redis.zrevrangebylex(keys.index(status), from, "-", "LIMIT", 0, limit + 1), limit);
}

/** Ids of decisions after `cursor`: open ones that are due first, or ended ones, newest first. */
export async function pageOfDecisions(
  { redis, keys }: Indexes,
  state: DecisionState,
  cursor: string | undefined,
  limit: number,
): Promise<IndexPage> {
  const key = keys.decisions(state);
  const after = cursor === undefined ? null : `(${cursor}`;
  const members =
    state === "open"
      ? await redis.zrangebylex(key, after ?? "-", "+", "LIMIT", 0, limit + 1)
      : await redis.zrevrangebylex(key, after ?? "+", "-", "LIMIT", 0, limit + 1);
  return pageOf(members, limit);
}

/** `members` are one more than the page holds, if there are so many. */
function pageOf(members: readonly string[], limit: number): IndexPage {
  const page = members.slice(0, limit);
  const byId = new Map(page.map((member) => [member.slice(TIME_DIGITS + 1), member]));
  return {
    ids: [...byId.keys()],
    cursorOf: (id) => byId.get(id) ?? "",
    cursor: members.length > limit ? (page.at(-1) ?? null) : null,
  };
}

/** Number of open decisions that should have been decided before a time. */
export async function countOverdue({ redis, keys }: Indexes, now: number): Promise<number> {
  return redis.zlexcount(keys.decisions("open"), "-", `(${timeText(now)}`);
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
export async function tasksOf(indexes: Indexes, featureId: string): Promise<{ id: string; at: number }[]> {
  return idsWithin(indexes, indexes.keys.featureTasks, featureId);
}

/** Ids of the decisions about a feature and its tasks, or about one task, in the order in which they were asked. */
export async function decisionsOf(
  indexes: Indexes,
  of: { readonly featureId: string } | { readonly taskId: string },
): Promise<string[]> {
  const { featureDecisions, taskDecisions } = indexes.keys;
  const found =
    "taskId" in of
      ? await idsWithin(indexes, taskDecisions, of.taskId)
      : await idsWithin(indexes, featureDecisions, of.featureId);
  return found.map(({ id }) => id);
}

async function idsWithin(
  { redis }: Indexes,
  key: string,
  subjectId: string,
): Promise<{ id: string; at: number }[]> {
  // `!` is the character after the space that ends the subject's id.
  const range = [`(${subjectId}!`, `[${subjectId} `] as const;
  const members = await redis.zrevrangebylex(key, ...range, "LIMIT", 0, SHOWN_WITHIN);
  return members.toReversed().map((member) => {
    const [, at, id = ""] = member.split(" ");
    return { id, at: Number(at) };
  });
}
