import { jobId, type Note } from "@agentswarm/contracts";
import { activeJobIds, amendJob, signalJob } from "@agentswarm/queue";
import type { PlannerContext } from "./context.ts";
import type { Round } from "./ledger/decide-lost.ts";
import type { Effect } from "./ledger/effect.ts";
import { findRecord, needTasks } from "./ledger/find-tasks.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { notesSince } from "./ledger/notes.ts";
import { answerNotes } from "./ledger/questions.ts";
import { isUnderWay, type TaskRecord } from "./ledger/task-record.ts";

/** Characters of the notes in one signal: Redis keeps about a thousand signals of each queue. */
const SIGNAL_CHARS = 16_000;
const AT_ONCE = 50;
/** How often the audit runs: what does not fit into one signal is repeated by turns. */
const TURN_MS = 10_000;

/**
 * Sends agents what was just said: those that run, by a signal; those whose task waits for a dispatcher, or gets another
 * one after a crash, by its message.
 */
export async function signalNotes(
  ctx: PlannerContext,
  ledger: Ledger,
  { taskId, noteIds }: Extract<Effect, { kind: "signal" }>,
  records: ReadonlyMap<string, TaskRecord>,
): Promise<void> {
  const isNew = ({ id }: Note) => noteIds.includes(id);
  if (taskId !== null) {
    const record = records.get(taskId);
    if (record === undefined || !isUnderWay(record)) return;
    return deliver(
      ctx,
      { taskId, round: record.round },
      [...record.notes, ...answerNotes(record)].filter(isNew),
    );
  }
  const notes = ledger.notes.filter(isNew);
  const rounds = [...(await ctx.ledgers.underWay(ledger.feature.id))];
  for (let from = 0; from < rounds.length; from += AT_ONCE) {
    const some = rounds.slice(from, from + AT_ONCE);
    await Promise.all(some.map(([id, round]) => deliver(ctx, { taskId: id, round }, notes)));
  }
}

async function deliver(ctx: PlannerContext, round: Round, notes: readonly Note[]): Promise<void> {
  await signalRound(ctx, round, notes);
  await amendJob(ctx.connection, "task", jobId.task(round.taskId, round.round), (message) => {
    const known = message.notes ?? [];
    const news = notes.filter(({ id }) => !known.some((one) => one.id === id));
    return { ...message, notes: [...known, ...news] };
  });
}

/** Signals to running agents again what was said since their task was sent: a signal may get lost, and an agent replaced. */
export async function repeatNotes(
  ctx: PlannerContext,
  ledger: Ledger,
  underWay: readonly Round[],
): Promise<void> {
  const { id: featureId } = ledger.feature;
  const noted = ledger.notes.length > 0 ? null : await ctx.ledgers.noted(featureId);
  const candidates = noted === null ? underWay : underWay.filter(({ taskId }) => noted.has(taskId));
  const active = await activeRounds(ctx, candidates);
  if (active.length === 0) return;
  const said = await ctx.ledgers.read(featureId, (now) => {
    if (now === null) return [];
    needTasks(
      now,
      active.map(({ taskId }) => taskId),
    );
    return active.map(({ taskId, round }) => {
      const record = findRecord(now, taskId);
      const isCurrent = record !== undefined && isUnderWay(record) && record.round === round;
      return { taskId, round, notes: isCurrent ? notesSince(now, record) : [] };
    });
  });
  const turn = Math.floor((await ctx.connection.now()) / TURN_MS);
  for (const { notes, ...round } of said) {
    const parts = inParts(notes);
    await signalRound(ctx, round, parts[turn % parts.length] ?? []);
  }
}

/** The rounds whose job is in the hands of a dispatcher. */
async function activeRounds(ctx: PlannerContext, rounds: readonly Round[]): Promise<Round[]> {
  if (rounds.length === 0) return [];
  const active = new Set(await activeJobIds(ctx.connection, "task"));
  return rounds.filter(({ taskId, round }) => active.has(jobId.task(taskId, round)));
}

async function signalRound(
  ctx: PlannerContext,
  { taskId, round }: Round,
  notes: readonly Note[],
): Promise<void> {
  for (const part of inParts(notes))
    await signalJob(ctx.connection, "task", jobId.task(taskId, round), { notes: part });
}

/** The notes in parts that fit into a signal each. */
function inParts(notes: readonly Note[]): Note[][] {
  const parts: Note[][] = [];
  let chars = Infinity;
  for (const note of notes) {
    chars += note.text.length;
    if (chars > SIGNAL_CHARS) {
      parts.push([]);
      chars = note.text.length;
    }
    parts.at(-1)?.push(note);
  }
  return parts;
}
