import type { CliCommand } from "../cli-command.ts";

export const addCancel: CliCommand = (program, { client, print }) => {
  program
    .command("cancel <feature>")
    .description("cancel a feature")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: { json?: boolean }) => {
      print(json, await client.cancelFeature({ params: { id } }), `cancel: ${id}`);
    });
};
