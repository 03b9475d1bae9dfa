import { join } from "node:path";
import { openLandingEngine } from "@agentswarm/git";
import { requestsOf } from "./rows.ts";
import { makeSynthetic } from "./synthetic.ts";

const GROUP = 100;
/** Landings after which all caches are full. */
const SETTLED = 5_000;

/** Measures the growth of this process in MiB over a number of landings, after the first 5,000. */
export async function measureGrowth(home: string, landings: number): Promise<number> {
  const made = await makeSynthetic(join(home, "memory.git"), {
    files: 1_000,
    branches: SETTLED + landings,
    conflictPct: 0,
  });
  using engine = openLandingEngine({ dir: made.dir, strategy: "fast-forward" });
  const requests = requestsOf(made);
  let tip = made.base;
  let settled = 0;
  for (let at = 0; at < requests.length; at += GROUP) {
    const built = await engine.build(tip, requests.slice(at, at + GROUP));
    const last = built.findLast((one) => one.kind === "built");
    if (last?.kind === "built") tip = last.commit;
    if (at === SETTLED) settled = rssMiB();
  }
  return Math.round(rssMiB() - settled);
}

function rssMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}
