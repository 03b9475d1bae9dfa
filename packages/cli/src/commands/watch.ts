import type { CliCommand, CliContext } from "../cli-command.ts";
import { watchFeatures } from "../watch-features.ts";

const ENDED = new Set(["done", "failed", "cancelled"]);

export const addWatch: CliCommand = (program, cli) => {
  program
    .command("watch [features...]")
    .description("show progress until the features end; without ids all that are open")
    .option("--json", "print JSON at the end")
    .action(async (ids: string[], { json }: { json?: boolean }) => {
      // An unknown id would never end.
      for (const id of ids) await cli.client.getFeature({ params: { id } });
      await watchToEnd(cli, ids.length > 0 ? ids : await openFeatures(cli), json);
    });
};

/** Shows features until they end. The exit code is 0 if all of them are done. */
export async function watchToEnd(cli: CliContext, ids: readonly string[], json = false): Promise<void> {
  const ended = await watchFeatures(cli.client, ids, json ? cli.err : cli.out);
  if (json) cli.out.write(`${JSON.stringify(ended)}\n`);
  cli.exitWith(ended.every((feature) => feature.status === "done") ? 0 : 1);
}

async function openFeatures({ client }: CliContext): Promise<string[]> {
  const open = (await client.allFeatures()).filter((feature) => !ENDED.has(feature.status));
  return open.map((feature) => feature.id);
}
