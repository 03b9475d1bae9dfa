import type { WriteStream } from "node:tty";
import { describePause, type FeatureSummary, type SwarmStatus } from "@agentswarm/contracts";
import { formatOpenDecisions } from "./format-decision.ts";
import { oneLine, shortReason } from "./format-reason.ts";

const MARK: Readonly<Record<string, string>> = { done: "✓", failed: "✗", cancelled: "–", held: "‖" };
type ShownStatus = Pick<SwarmStatus, "agents" | "landings" | "trunk" | "green"> & {
  /** Not in the answers of older versions. */
  readonly model?: SwarmStatus["model"];
  readonly waiting?: SwarmStatus["waiting"];
  readonly notices?: SwarmStatus["notices"];
  readonly decisions?: SwarmStatus["decisions"];
  readonly backends?: SwarmStatus["backends"];
  readonly paused?: SwarmStatus["paused"];
  readonly cost: Pick<SwarmStatus["cost"], "usd" | "tokens">;
};
const TITLE_CHARS = 36;

/** The whole swarm in a few lines: each feature with its id, which other commands take, and the reason below it. */
export function formatProgress(
  features: readonly (Pick<FeatureSummary, "id" | "title" | "status" | "counts" | "reason"> & {
    /** Not in the answers of older versions. */
    readonly waiting?: FeatureSummary["waiting"];
  })[],
  status: ShownStatus,
): string {
  const lines = features.map(({ id, title, status: state, counts, reason, waiting }) => {
    const name = oneLine(title).slice(0, TITLE_CHARS).padEnd(TITLE_CHARS);
    const tasks = `${counts.landed}/${counts.total}`.padStart(5);
    const isStuck = state === "failed" || state === "held" || reason?.startsWith("waiting: ") === true;
    const shown = isStuck ? reason : waiting ? `waiting: ${waiting.reason}` : null;
    const why = shown ? `\n    ${shortReason(shown)}` : "";
    return `${MARK[state] ?? "…"} ${id}  ${name} ${state.padEnd(10)} ${tasks}${why}`;
  });
  const asked = status.decisions === undefined ? [] : formatOpenDecisions(status.decisions);
  return [...lines, ...asked, ...formatWaiting(status), formatStatusLine(status)].join("\n");
}

/** What is wrong around the swarm: every reason whole, with its fix at the end. */
function formatWaiting({ waiting = [], notices = [], backends = [], paused = [] }: ShownStatus): string[] {
  const reasons = new Set(waiting.map(({ reason }) => reason));
  const pauses = paused.map(({ scope, pause }) => describePause(scope, pause));
  return [
    // A feature's own pause shows with the feature, and those that tasks wait for show below.
    ...paused.flatMap(({ scope }, nth) =>
      scope.kind === "feature" || reasons.has(pauses[nth] ?? "") ? [] : `! ${oneLine(pauses[nth] ?? "")}`,
    ),
    ...waiting.map(({ reason, waits, service }) => `! ${waits} waiting (${service}): ${oneLine(reason)}`),
    ...backends.map(
      ({ backend, why }) => `! backend ${oneLine(backend)} gets no calls for now: ${oneLine(why)}`,
    ),
    ...notices.flatMap(({ notice }) => (reasons.has(notice) ? [] : `! ${oneLine(notice)}`)),
  ];
}

/** One line about agents, landings, trunk, cost and the model. */
export function formatStatusLine({ agents, landings, trunk, green, cost, model }: ShownStatus): string {
  const health =
    trunk === null
      ? "no landing yet"
      : trunk === green
        ? `${trunk.slice(0, 10)} green`
        : `${trunk.slice(0, 10)}, green ${green?.slice(0, 10) ?? "–"}`;
  return `agents at work ${agents.live} · landings ${landings.total} · trunk ${health} · $${cost.usd.toFixed(2)}, ${cost.tokens} tokens${formatModel(model ?? null)}`;
}

function formatModel(model: SwarmStatus["model"]): string {
  if (model === null) return "";
  return model.recorded ? " · recorded answers, no model" : ` · model ${oneLine(model.name)}`;
}

/** Shows progress in place on a terminal, and as plain lines where there is none. */
export function openProgress(out: NodeJS.WriteStream | WriteStream): {
  show(text: string): void;
  end(): void;
} {
  let drawn = 0;
  let last = "";
  return {
    show(text) {
      if (text === last) return;
      const fresh = out.isTTY ? text : newLines(last, text);
      last = text;
      if (fresh === "") return;
      if (out.isTTY && drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
      out.write(`${fresh}\n`);
      drawn = fresh.split("\n").length;
    },
    end() {
      drawn = 0;
    },
  };
}

/** The lines of `next` that were not in `previous`. */
function newLines(previous: string, next: string): string {
  const known = new Set(previous.split("\n"));
  return next
    .split("\n")
    .filter((line) => !known.has(line))
    .join("\n");
}
