import {
  answerText,
  maskSecretsIn,
  NOBODY_ANSWERED,
  plainText,
  putQuestion,
  QUESTION_LIMITS,
  type AgentQuestion,
  type AnsweredQuestion,
  type Note,
  type PutQuestion,
  type QuestionAnswer,
} from "@agentswarm/contracts";
import { questionIdOf } from "@agentswarm/contracts/node";

/** The questions of one attempt. */
export interface Questions {
  /**
   * Puts a question to people. Resolves when it is answered, when nobody has answered in time and the attempt is parked,
   * or at once when the attempt may not ask it. `gone`: the agent does not wait any more.
   */
  ask(question: AgentQuestion, gone: AbortSignal): Promise<QuestionAnswer>;
  /**
   * Takes a note. Returns whether it answers the open question, or one that it has answered before; any other note is for
   * the agent's inbox.
   */
  answer(note: Note): boolean;
  /** The question for which the attempt is parked, or null. */
  parked(): PutQuestion | null;
  /** The questions that nobody answered in time while the agent waited, as the landing says them. */
  byDefault(): readonly string[];
}

export interface QuestionsOptions {
  readonly taskId: string;
  readonly round: number;
  /** How long an attempt that asks now waits for an answer before it is parked; 0 and less: not at all. */
  readonly waitMs: () => number;
  /** Sends the attempt's nth question to the planner. Must not throw. */
  readonly send: (question: PutQuestion, nth: number) => void;
  /** Stops the idle time while the agent waits. Returns the function that lets it go on. */
  readonly hold: () => () => void;
  /** Called once, when the attempt is parked: its agent is to hand over its work now. */
  readonly onParked: () => void;
}

export function openQuestions(options: QuestionsOptions): Questions {
  const { taskId, round, waitMs } = options;
  const byDefault: string[] = [];
  /** Notes that answer questions of this round, by the decision. */
  const known = new Map<string, Note>();
  const heard = new Set<string>();
  let asked = 0;
  let parked: PutQuestion | null = null;
  let open: { readonly id: string; readonly answer: (note: Note) => void } | null = null;
  return {
    async ask(question, gone) {
      if (parked !== null) return { kind: "parked" };
      if (open !== null) return refused("your question before is still open: ask one after the other");
      if (asked === QUESTION_LIMITS.perAttempt) {
        const limit = `you have asked ${asked} questions, which is the limit`;
        return refused(`${limit}. Decide by yourself, and say in your deviations what you decided and why`);
      }
      asked += 1;
      const put = putQuestion(safe(question));
      const answered = Promise.withResolvers<Note>();
      const id = questionIdOf(taskId, round, put.ask);
      open = { id, answer: answered.resolve };
      const letGo = options.hold();
      const before = known.get(id);
      // An attempt of this round asked the same, and was lost.
      if (before === undefined) options.send(put, asked);
      else answered.resolve(before);
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), waitMs())));
      const leave = Promise.withResolvers<"gone">();
      const onGone = () => leave.resolve("gone");
      gone.addEventListener("abort", onGone);
      try {
        const note = await Promise.race([answered.promise, leave.promise, tooLong]);
        if (note === "gone") return refused("you did not wait for the answer");
        if (note !== null) {
          heard.add(note.id);
          if (note.by === NOBODY_ANSWERED) byDefault.push(defaultLine(question.question, defaultOf(put)));
          return { kind: "answered", text: note.text };
        }
        parked = put;
        options.onParked();
        return { kind: "parked" };
      } finally {
        clearTimeout(timer);
        gone.removeEventListener("abort", onGone);
        open = null;
        letGo();
      }
    },
    answer(note) {
      if (note.answers !== null) known.set(note.answers, note);
      if (open === null || note.answers !== open.id) return heard.has(note.id);
      open.answer(note);
      return true;
    },
    parked: () => parked,
    byDefault: () => byDefault,
  };
}

/** The questions of earlier attempts that nobody answered in time, as the landing says them. */
export function defaultsAmong(answers: readonly AnsweredQuestion[]): string[] {
  return answers.flatMap(({ by, question, answer }) => (by === null ? [defaultLine(question, answer)] : []));
}

function defaultOf({ options, default: byDefault }: PutQuestion): string {
  return options.length === 0 ? (byDefault ?? "") : answerText({ options }, { option: byDefault, text: "" });
}

const LINE_CHARS = 400;

function defaultLine(question: string, answer: string): string {
  const line = (text: string) => text.replaceAll(/\s+/g, " ").trim().slice(0, LINE_CHARS);
  return `${line(question)} – ${line(answer)}`;
}

function refused(why: string): QuestionAnswer {
  return { kind: "refused", why };
}

/** A person reads it in a terminal; and an agent sees the target's keys and its own, and may name them. */
function safe(question: AgentQuestion): AgentQuestion {
  return maskSecretsIn({
    ...question,
    question: plainText(question.question),
    options: question.options.map(plainText),
    default: question.default == null ? null : plainText(question.default),
    why: plainText(question.why),
  });
}
