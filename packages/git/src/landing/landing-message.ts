import { TRAILER } from "@agentswarm/contracts";

/** The attempt that a landing comes from, as trailers of its commit. */
export interface Trailers {
  readonly taskId: string;
  readonly featureId: string;
  readonly attempt: number;
  readonly model: string;
  readonly costUsd: number;
}

/**
 * The message of a landed commit: the agent's text without the lines that look like our trailers, then our trailers.
 * Without `trailers` only the text.
 */
export function landingMessage(message: string, trailers: Trailers | null): string {
  const kept = message
    // Git's own check refuses a commit with a NUL in its message.
    .replaceAll("\0", "")
    .split("\n")
    .filter((line) => !/^\s*swarm-[a-z-]+\s*:/i.test(line))
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
  // Git recognizes trailers only below other text.
  return `${kept || trailers.taskId}\n\n${lines.join("\n")}\n`;
}
