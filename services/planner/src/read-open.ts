import { asFault } from "@agentswarm/contracts";
import type { PlannerContext } from "./context.ts";
import type { Ledger } from "./ledger/ledger.ts";

const AT_ONCE = 20;

/** The open ledgers with their counts and without tasks. A ledger that cannot be read is left out. */
export async function readOpen({ ledgers, log }: Pick<PlannerContext, "ledgers" | "log">): Promise<Ledger[]> {
  const ids = await ledgers.open();
  const found: Ledger[] = [];
  const read = async (featureId: string) => {
    try {
      const ledger = await ledgers.get(featureId);
      if (ledger !== null) found.push(ledger);
    } catch (error) {
      const fault = asFault(error);
      if (fault.source === "machine") throw fault;
      // What cannot be read was told when it was set aside.
      if (fault.retryable) log.warn({ featureId, err: fault }, "the ledger of a feature is left out");
    }
  };
  for (let from = 0; from < ids.length; from += AT_ONCE)
    await Promise.all(ids.slice(from, from + AT_ONCE).map(read));
  return found;
}
