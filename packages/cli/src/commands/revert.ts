import type { CliCommand } from "../cli-command.ts";

export const addRevert: CliCommand = (program, { client, print }) => {
  program
    .command("revert <feature>")
    .description("take all landings of a feature off the trunk")
    .requiredOption("--why <text>", "shown with the feature, and part of the commit's message")
    .option("--json", "print JSON")
    .action(async (id: string, { why, json }: { why: string; json?: boolean }) => {
      print(json, await client.revertFeature({ params: { id }, body: { why } }), `revert: ${id}`);
    });
};
