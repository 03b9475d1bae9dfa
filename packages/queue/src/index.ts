export { openBackendOutages, type BackendOutages } from "./backend-outages.ts";
export { cancelJob } from "./cancel.ts";
export { boardQueues, openQueue, type QueueConnection } from "./connect.ts";
export { consume, type Consumer, type ConsumeOptions } from "./consume.ts";
export { queueCounts, workerCounts } from "./counts.ts";
export { findFailedJob, listFailedJobs, retryJob, type FailedJob } from "./dead-letters.ts";
export { ping, withDeadline } from "./deadline.ts";
export { openDocuments, type Documents } from "./documents.ts";
export { EVENTS_KEPT, openEventLog, type EventLog, type LoggedEvent } from "./event-log.ts";
export { hasSchedule } from "./clock.ts";
export {
  activeJobIds,
  amendJob,
  jobBody,
  jobState,
  pendingJobIds,
  removeEndedJob,
  removeWaitingJob,
  type JobState,
} from "./jobs.ts";
export { openBudgets, type Budgets, type BudgetState } from "./limits/budgets.ts";
export { claimTurn } from "./limits/claim.ts";
export { forgetNumbers, nextNumber } from "./limits/counter.ts";
export { acquireLease, type Lease } from "./limits/lease.ts";
export { acquireSlot, type Slot } from "./limits/slots.ts";
export { openPauses, pauseTasks, resumeTasks, type Pauses } from "./pauses.ts";
export { type Handler, type JobContext } from "./run-job.ts";
export { readLag, reportLag } from "./loop-lag.ts";
export { openShownModel } from "./shown-model.ts";
export { openTasksInUse } from "./tasks-in-use.ts";
export { createSender, type Sender, type SendOptions } from "./send.ts";
export { signalJob } from "./signal.ts";
export { openTrunkStates, type TrunkStates } from "./trunk-states.ts";
export { openWaiting, type WaitingNow, type WaitingReasons } from "./waiting.ts";
export { budgetSettings, redisSettings, type BudgetCaps, type RedisSettings } from "./settings.ts";
