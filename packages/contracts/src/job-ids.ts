/**
 * BullMQ job ids: a second sending under the same id is a no-op while the first job is kept. All of them are made and
 * parsed here. No id holds a `:` and none is all digits, for BullMQ refuses both.
 */
export const jobId = {
  /** `plan`: a submitted feature. */
  feature: (featureId: string) => `feature-${featureId}`,
  /** `plan`: the one handoff in which an attempt ends; an approved attempt ends in a second one. */
  handoff: (taskId: string, attempt: number, approved = false) =>
    `handoff-${taskId}-${attempt}${approved ? APPROVED : ""}`,
  /** `plan`: one of the questions of an attempt. */
  question: (taskId: string, attempt: number, nth: number) => `question-${taskId}-${attempt}-${nth}`,
  /** `plan`: the result of a sweep. Ids of version 0.1 may have colons. */
  swept: (sweepJobId: string) => `swept-${sweepJobId.replaceAll(":", "-")}`,
  /** Any queue: one run of a schedule; `at` is the Redis time at which it was due, in milliseconds. */
  scheduled: (schedule: string, at: number) => `tick-${schedule.replaceAll(":", "-")}-${at}`,
  /** `plan`: something is due about a decision; `nth`: the number of reminders before it. */
  due: (decisionId: string, nth: number) => `due-${decisionId}-${nth}`,
  /** `task`: one sending of a task. */
  task: (taskId: string, round: number) => `task-${taskId}-${round}`,
  /** `merge`: an attempt's commits. */
  merge: (taskId: string, attempt: number, approved = false) =>
    `merge-${taskId}-${attempt}${approved ? APPROVED : ""}`,
  /** `sweep`: enough landings since the last one; `head` is the trunk's commit. */
  sweepAfterLandings: (head: string) => `nudge-${head}`,
  /** `sweep`: the last task of a feature has landed, by this version of its ledger. */
  sweepAfterLastTask: (featureId: string, ledgerVersion: number) => `last-task-${featureId}-${ledgerVersion}`,
  /** `sweep`: a fix task has landed. */
  sweepAfterFix: (taskId: string) => `fix-landed-${taskId}`,
} as const;

const APPROVED = "-approved";

/** What a job id says, by the maker in `jobId` that it came from. */
export type ParsedJobId =
  | { kind: "feature"; featureId: string }
  | { kind: "handoff" | "merge"; taskId: string; attempt: number; approved: boolean }
  | { kind: "question"; taskId: string; attempt: number; nth: number }
  | { kind: "swept"; sweepJobId: string }
  | { kind: "scheduled"; schedule: string; at: number }
  | { kind: "due"; decisionId: string; nth: number }
  | { kind: "task"; taskId: string; round: number }
  | { kind: "sweepAfterLandings"; head: string }
  | { kind: "sweepAfterLastTask"; featureId: string; ledgerVersion: number }
  | { kind: "sweepAfterFix"; taskId: string };

const ID = "[a-z0-9-]{1,64}";
const GRAMMAR: readonly [RegExp, (groups: readonly string[]) => ParsedJobId][] = [
  [
    new RegExp(`^(handoff|merge)-(${ID})-(\\d+)(${APPROVED})?$`),
    ([kind = "", taskId = "", attempt, approved]) => ({
      kind: kind === "merge" ? "merge" : "handoff",
      taskId,
      attempt: Number(attempt),
      approved: approved !== undefined,
    }),
  ],
  [
    new RegExp(`^task-(${ID})-(\\d+)$`),
    ([taskId = "", round]) => ({ kind: "task", taskId, round: Number(round) }),
  ],
  [
    new RegExp(`^due-(${ID})-(\\d+)$`),
    ([decisionId = "", nth]) => ({ kind: "due", decisionId, nth: Number(nth) }),
  ],
  [new RegExp(`^feature-(${ID})$`), ([featureId = ""]) => ({ kind: "feature", featureId })],
  [
    new RegExp(`^question-(${ID})-(\\d+)-(\\d+)$`),
    ([taskId = "", attempt, nth]) => ({
      kind: "question",
      taskId,
      attempt: Number(attempt),
      nth: Number(nth),
    }),
  ],
  [/^nudge-([0-9a-f]{40})$/, ([head = ""]) => ({ kind: "sweepAfterLandings", head })],
  [
    new RegExp(`^last-task-(${ID})-(\\d+)$`),
    ([featureId = "", version]) => ({
      kind: "sweepAfterLastTask",
      featureId,
      ledgerVersion: Number(version),
    }),
  ],
  [new RegExp(`^fix-landed-(${ID})$`), ([taskId = ""]) => ({ kind: "sweepAfterFix", taskId })],
  [/^tick-(.+)-(\d+)$/, ([schedule = "", at]) => ({ kind: "scheduled", schedule, at: Number(at) })],
  [/^swept-(.+)$/, ([sweepJobId = ""]) => ({ kind: "swept", sweepJobId })],
];

/** The parts of a job id that `jobId` made; null for one that it did not make. */
export function parseJobId(id: string): ParsedJobId | null {
  for (const [pattern, read] of GRAMMAR) {
    const match = pattern.exec(id);
    if (match !== null) return read(match.slice(1));
  }
  return null;
}
