import { TRAILER } from "@agentswarm/contracts";

/** What a landing tells about where it comes from. */
export interface Trailers {
  readonly taskId: string;
  readonly featureId: string;
  readonly attempt: number;
  readonly model: string;
  readonly costUsd: number;
}

/**
 * The message of a landed commit: what the agent wrote, without any line that poses as one of our trailers, and
 * our own trailers at its end.
 */
export function landingMessage(message: string, trailers: Trailers | null): string {
  const kept = message
    // Git's own check refuses a commit with a NUL in it.
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
  // Trailers are none where there is nothing above them.
  return `${kept || trailers.taskId}\n\n${lines.join("\n")}\n`;
}
