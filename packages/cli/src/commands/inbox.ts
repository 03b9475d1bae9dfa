import { setTimeout as sleep } from "node:timers/promises";
import { isTransient, type SwarmClient } from "@agentswarm/client";
import type { Decision } from "@agentswarm/contracts";
import type { CliCommand, CliContext } from "../cli-command.ts";
import { formatInbox } from "../format-decision.ts";
import { openProgress } from "../progress.ts";

interface Options {
  readonly mine?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

const EVERY_MS = 1_000;
/** Watching survives a restart of the api. */
const OUTAGE_MS = 60_000;
const PAGE = 200;

export const addInbox: CliCommand = (program, cli) => {
  program
    .command("inbox")
    .description("what people are asked: open decisions, the one that is due first at the top")
    .option("--mine", "only those that you may answer and have not answered")
    .option("-w, --watch", "go on showing them as they come and go")
    .option("--json", "print JSON")
    .action(async ({ mine = false, watch = false, json }: Options) => {
      const decisions = await openDecisions(cli.client, mine);
      if (watch) return watchInbox(cli, mine, json);
      cli.print(json, { decisions }, formatInbox(decisions, Date.now()));
    });
};

async function openDecisions(client: SwarmClient, mine: boolean): Promise<Decision[]> {
  const all: Decision[] = [];
  let cursor: string | null | undefined;
  do {
    const query = { limit: PAGE, mine: mine ? "true" : "false", cursor: cursor ?? undefined } as const;
    const page = await client.listDecisions({ query });
    all.push(...page.decisions);
    ({ cursor } = page);
  } while (cursor !== null);
  return all;
}

/** Shows the inbox until the user ends it. Throws when the api has not answered for a minute. */
async function watchInbox({ client, out, print }: CliContext, mine: boolean, json = false): Promise<never> {
  const progress = openProgress(out);
  let answeredAt = performance.now();
  let shown = "";
  for (;;) {
    try {
      const decisions = await openDecisions(client, mine);
      answeredAt = performance.now();
      const state = JSON.stringify(decisions);
      if (json && state !== shown) print(json, { decisions }, "");
      // Without a terminal only changes are shown, and not that time goes by.
      else if (!json && (out.isTTY || state !== shown)) progress.show(formatInbox(decisions, Date.now()));
      shown = state;
    } catch (error) {
      if (!isTransient(error) || performance.now() - answeredAt > OUTAGE_MS) throw error;
    }
    await sleep(EVERY_MS);
  }
}
