import { asFault } from "@agentswarm/contracts";
import { findChecks, type FoundChecks } from "@agentswarm/checks";
import { fail, ok, warn, type Finding } from "./finding.ts";
import type { Target } from "./open-target.ts";

const NAME = "checks";
const HOW = `write swarm.json on the trunk: {"checks": {"gate": ["<command that must pass>"]}}, or a "test" script in package.json`;

/** Reads the target's checks, and says whether there are any. `found` is null when they cannot be read. */
export async function examineChecks(
  target: Target,
): Promise<{ readonly finding: Finding; readonly found: FoundChecks | null }> {
  try {
    const found = await findChecks((path) => target.readFile(path));
    const { gate, sweep } = found.settings.checks;
    if (gate.length + sweep.length === 0) {
      const why =
        found.found === "nothing" ? "neither swarm.json nor package.json" : `none in ${found.found}`;
      const risk = "whatever an agent writes lands, and green means nothing";
      return { found, finding: warn(NAME, `${why}: ${risk}`, HOW) };
    }
    const names = [...gate, ...sweep].map(({ command }) => command).join(", ");
    return { found, finding: ok(NAME, `${names} (from ${found.found})`) };
  } catch (error) {
    const why = asFault(error).message;
    return { found: null, finding: fail(NAME, why, "correct it on the trunk; until then tasks wait") };
  }
}
