/** One sending of a task. */
export interface Round {
  readonly taskId: string;
  readonly round: number;
}

/** What the queues hold of tasks, read from the ids of their jobs. */
export interface JobsUnderWay {
  /** Names of rounds whose task job has not ended. */
  readonly rounds: ReadonlySet<string>;
  /** Ids of tasks with a merge request or a handoff that has not ended. */
  readonly tasks: ReadonlySet<string>;
}

export function roundName({ taskId, round }: Round): string {
  return `${taskId}/${round}`;
}

/** The sent rounds that no queue knows of. Those that the audit before has missed too are lost. Pure. */
export function decideLost(underWay: readonly Round[], { rounds, tasks }: JobsUnderWay): Round[] {
  return underWay.filter((one) => !rounds.has(roundName(one)) && !tasks.has(one.taskId));
}
