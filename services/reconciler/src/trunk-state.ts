import { plainText, type CheckResult, type TrunkState } from "@agentswarm/contracts";

const TAIL_LINES = 6;
const TAIL_CHARS = 800;

export const UNCHECKED =
  "nothing is checked before and after a landing: the target has no checks. Add a swarm.json with checks to its " +
  "trunk, or a test script to its package.json; a swarm.json with an empty list of checks says that none are wanted";

/**
 * What a sweep says to those who work on the trunk. A trunk that is red although the swarm has changed nothing is held:
 * its checks do not run in the sandbox, or its own code is wrong, and agents would be refused at the gate for both. Pure.
 */
export function decideTrunkState(facts: {
  readonly head: string;
  readonly results: readonly CheckResult[];
  /** Whether the trunk has no green commit, and no landing of the swarm. */
  readonly isUntouched: boolean;
  /** Whether checks are found, or swarm.json says that none are wanted. */
  readonly isChecked: boolean;
  /** RED_TRUNK. */
  readonly redTrunk: "hold" | "work";
}): TrunkState {
  const { head, results, isUntouched, isChecked, redTrunk } = facts;
  const red = results.find((result) => result.exitCode !== 0);
  const isHeld = red !== undefined && isUntouched && redTrunk === "hold";
  return { head, hold: isHeld ? whyHeld(red) : null, unchecked: isChecked ? null : UNCHECKED };
}

function whyHeld({ command, outputTail }: CheckResult): string {
  const lines = plainText(outputTail)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const tail = lines.slice(-TAIL_LINES).join(" | ").slice(-TAIL_CHARS);
  const said = tail === "" ? "" : `: ${tail}`;
  return (
    `the trunk's own check \`${command.slice(0, 200)}\` fails here before any change${said}. ` +
    "Push a trunk on which it passes, or set RED_TRUNK=work to let agents work on it"
  );
}
