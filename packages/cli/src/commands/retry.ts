import type { CliCommand } from "../cli-command.ts";

export const addRetry: CliCommand = (program, { client, print }) => {
  program
    .command("retry <task>")
    .description("retry a task that has ended")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: { json?: boolean }) => {
      print(json, await client.retryTask({ params: { id } }), `retry: ${id}`);
    });
};
