export { cancelJob } from "./cancel.ts";
export { boardQueues, openQueue, type QueueConnection } from "./connect.ts";
export { consume, type Consumer, type ConsumeOptions } from "./consume.ts";
export { openDocuments, type Documents } from "./documents.ts";
export { openEventLog, type EventLog, type LoggedEvent } from "./event-log.ts";
export {
  jobBody,
  jobState,
  pendingBodies,
  ping,
  queueCounts,
  removeJob,
  withDeadline,
  type JobState,
} from "./inspect.ts";
export { budgetSettings, redisSettings, type BudgetCaps } from "./settings.ts";
export { openBudgets, type Budgets, type BudgetState } from "./limits/budgets.ts";
export { nextNumber } from "./limits/counter.ts";
export { acquireLease, type Lease } from "./limits/lease.ts";
export { acquireSlot, heldSlots, releaseSlot, renewSlot } from "./limits/slots.ts";
export { type Handler, type JobContext } from "./run-job.ts";
export { createSender, type Sender, type SendOptions } from "./send.ts";
