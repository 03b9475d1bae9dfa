import { ApiError, Unreachable } from "@agentswarm/client";
import { plainText } from "@agentswarm/contracts";

/** The exit code of a failed command, and its message with the setting that corrects it. */
export function explainError(error: unknown, hasKey: boolean): { code: number; message: string } {
  if (error instanceof Unreachable) {
    const advice =
      error.kind === "no-answer"
        ? "start the swarm with `npm start`, or set SWARM_URL or API_PORT to where it is"
        : "correct SWARM_URL, or use a `swarm` of the api's version";
    return { code: 3, message: `${error.message}; ${advice}` };
  }
  const message = plainText(error instanceof Error ? error.message : String(error));
  if (error instanceof ApiError && error.status === 401)
    return { code: 1, message: `${message}; ${hasKey ? "correct" : "set"} SWARM_API_KEY` };
  return { code: 1, message };
}
