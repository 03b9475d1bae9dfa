import { jobId } from "@agentswarm/contracts";
import { jobState, pendingBodies, queueCounts, type JobState } from "@agentswarm/queue";
import { advance } from "./advance.ts";
import { sendTask, step } from "./carry-out.ts";
import {
  findRecord,
  hasEnded,
  isUnderWay,
  withRecord,
  type Ledger,
  type TaskRecord,
} from "./ledger/ledger.ts";
import { sendAgain } from "./ledger/settle.ts";
import type { Workshop } from "./workshop.ts";

const IN_A_QUEUE: ReadonlySet<JobState> = new Set(["waiting", "prioritized", "delayed", "active"]);

/**
 * Sends again what got lost: the same round when its job is gone, the next one when the job ended without a
 * handoff. A task is believed lost only when two audits in a row miss it, for its handoff may be on its way
 * between two queues.
 */
export async function audit(shop: Workshop): Promise<void> {
  const ledgers = await shop.ledgers.all();
  const underWay = await findUnderWay(shop);
  for (const ledger of ledgers) {
    for (const record of ledger.tasks.filter(isUnderWay)) await auditTask(shop, ledger, record, underWay);
    if (!hasEnded(ledger)) await advance(shop, ledger.feature.id);
  }
  await auditSweeps(shop, ledgers);
}

async function auditTask(
  shop: Workshop,
  ledger: Ledger,
  record: TaskRecord,
  underWay: ReadonlySet<string>,
): Promise<void> {
  const { id } = record.task;
  const state = await jobState(shop.connection, "task", jobId.task(id, record.round));
  const onItsWay = IN_A_QUEUE.has(state) || underWay.has(id);
  if (onItsWay) {
    if (record.missed) await mark(shop, ledger, record, { missed: false });
    return;
  }
  if (!record.missed) return mark(shop, ledger, record, { missed: true });
  shop.log.warn(
    { featureId: ledger.feature.id, taskId: id, round: record.round, state },
    "a task was lost; sending it again",
  );
  if (state === "missing") {
    await sendTask(shop, record);
    return mark(shop, ledger, record, { missed: false });
  }
  await step(shop, ledger.feature.id, (now) => {
    const current = now === null ? undefined : findRecord(now, id);
    if (now === null || current === undefined || !isUnderWay(current) || current.round !== record.round)
      return now;
    return withRecord(now, id, sendAgain(current));
  });
}

/** Tasks with an attempt at the merger, or a handoff on its way to us. */
async function findUnderWay({ connection }: Workshop): Promise<ReadonlySet<string>> {
  // In the order in which messages travel, so that one that moves on meanwhile is seen in the later queue.
  const merges = await pendingBodies(connection, "merge");
  const plans = await pendingBodies(connection, "plan");
  const handoffs = plans.flatMap((message) => (message.kind === "handoff" ? [message.handoff] : []));
  return new Set([...merges, ...handoffs].map((one) => one.taskId));
}

async function mark(
  shop: Workshop,
  ledger: Ledger,
  record: TaskRecord,
  change: Partial<TaskRecord>,
): Promise<void> {
  await shop.ledgers.update(ledger.feature.id, (now) => {
    const current = now === null ? undefined : findRecord(now, record.task.id);
    if (now === null || current?.round !== record.round || !isUnderWay(current)) return now;
    return withRecord(now, record.task.id, change);
  });
}

/** Features that wait for green get a sweep when none is on its way and nobody is mending the trunk. */
async function auditSweeps(shop: Workshop, ledgers: readonly Ledger[]): Promise<void> {
  const waiting = ledgers.some((ledger) => ledger.status === "verifying");
  if (!waiting || ledgers.some((ledger) => ledger.tasks.some(isUnderWay))) return;
  const { sweep } = await queueCounts(shop.connection);
  if ((sweep["waiting"] ?? 0) + (sweep["active"] ?? 0) > 0) return;
  await shop.sender.send("sweep", { why: "last-task" });
}
