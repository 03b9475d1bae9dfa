import type { Check } from "@agentswarm/contracts";

/** Passes once state.txt contains "green"; a failed run prints the file and exits with 3. */
export const STATE_CHECK: Check = {
  name: "state",
  command: "grep -q green state.txt || { cat state.txt; exit 3; }",
  timeoutMs: 10_000,
};
