import type { Decision } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { Ledger } from "../ledger.ts";
import { decisionsKey, dueDecisionsKey, openReviewsKey } from "../stored-ledger.ts";
import { changedDecisions, isOpen } from "./kept-decisions.ts";
import { whenDue } from "./when-due.ts";

/** One list of decisions: a task's, or with `task` null the feature's. */
interface Holder {
  readonly task: { readonly id: string } | null;
  readonly decisions: readonly Decision[];
}

/** The commands that keep the indexes of decisions as a step leaves them: what is due when, which landings wait. Pure. */
export function indexDecisions(
  connection: Pick<QueueConnection, "key">,
  { feature: { id: featureId } }: Ledger,
  before: readonly Decision[] | undefined,
  { task, decisions }: Holder,
): string[][] {
  const commands: string[][] = [];
  for (const { old, now } of changedDecisions(before, decisions)) {
    const { id, kind } = now;
    if (old === undefined && task !== null)
      commands.push(["HSET", decisionsKey(connection, featureId), id, task.id]);
    const [was, due] = [old === undefined ? null : whenDue(old), whenDue(now)];
    const member = `${featureId} ${id}`;
    if (due !== null && due !== was)
      commands.push(["ZADD", dueDecisionsKey(connection), String(due), member]);
    if (due === null && was !== null) commands.push(["ZREM", dueDecisionsKey(connection), member]);
    const waited = old !== undefined && isOpen(old);
    if (kind === "landing" && isOpen(now) !== waited)
      commands.push([isOpen(now) ? "SADD" : "SREM", openReviewsKey(connection), id]);
  }
  const kept = new Set(decisions.map(({ id }) => id));
  const dropped = before === decisions ? [] : (before ?? []).filter(({ id }) => !kept.has(id));
  if (task !== null && dropped.length > 0)
    commands.push(["HDEL", decisionsKey(connection, featureId), ...dropped.map(({ id }) => id)]);
  return commands;
}
