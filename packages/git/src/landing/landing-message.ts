import { TRAILER } from "@agentswarm/contracts";

/** The attempt that a landing comes from, as trailers of its commit. */
export interface Trailers {
  readonly taskId: string;
  readonly featureId: string;
  readonly attempt: number;
  readonly model: string;
  readonly costUsd: number;
}

const DEFAULT_LINE = "Decided by default";

/**
 * The message of a landed commit: the agent's text without the lines that look like ours, the questions of the agent that
 * nobody answered in time, then our trailers. Without `trailers` only the text.
 */
export function landingMessage(
  message: string,
  trailers: Trailers | null,
  byDefault: readonly string[] = [],
): string {
  const kept = message
    // Git's own check refuses a commit with a NUL in its message.
    .replaceAll("\0", "")
    .split("\n")
    .filter((line) => !/^\s*(?:swarm-[a-z-]+|decided by default)\s*:/i.test(line))
    .join("\n")
    .trim();
  if (trailers === null) return `${kept}\n`;
  const lines = [
    `${TRAILER.task}: ${trailers.taskId}`,
    `${TRAILER.feature}: ${trailers.featureId}`,
    `${TRAILER.attempt}: ${trailers.attempt}`,
    `${TRAILER.model}: ${trailers.model.replaceAll(/\s+/g, " ")}`,
    `${TRAILER.costUsd}: ${trailers.costUsd.toFixed(6)}`,
  ];
  const decided = byDefault.map(
    (one) => `${DEFAULT_LINE}: ${one.replaceAll(/\s+/g, " ").replaceAll("\0", "")}`,
  );
  // Git recognizes trailers only below other text.
  const text = [kept || trailers.taskId, ...(decided.length === 0 ? [] : [decided.join("\n")])];
  return `${text.join("\n\n")}\n\n${lines.join("\n")}\n`;
}
