import type { CliCommand } from "../cli-command.ts";
import { taskOrFeature } from "../task-or-feature.ts";

export const addRetry: CliCommand = (program, { client, print }) => {
  program
    .command("retry <id>")
    .description("take a task or a feature up again that has failed or was cancelled")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: { json?: boolean }) => {
      const request = { params: { id } };
      const accepted = await taskOrFeature(
        id,
        () => client.retryTask(request),
        () => client.retryFeature(request),
      );
      print(json, accepted, `retry: ${id}`);
    });
};
