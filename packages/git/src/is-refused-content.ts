import type { Fault } from "@agentswarm/contracts";

/** Whether git cannot read or refuses commits because of what they contain: nothing else makes it fail for good. */
export function isRefusedContent({ code, retryable }: Fault): boolean {
  return (code === "git.failed" || code === "git.refused") && !retryable;
}
