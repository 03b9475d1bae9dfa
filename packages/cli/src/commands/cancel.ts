import type { CliCommand } from "../cli-command.ts";
import { taskOrFeature } from "../task-or-feature.ts";

export const addCancel: CliCommand = (program, { client, print }) => {
  program
    .command("cancel <id>")
    .description("cancel a feature, or a task with what depends on it")
    .option("--why <text>", "shown with what was cancelled")
    .option("--json", "print JSON")
    .action(async (id: string, { why, json }: { why?: string; json?: boolean }) => {
      const request = { params: { id }, body: { why } };
      const accepted = await taskOrFeature(
        id,
        () => client.cancelTask(request),
        () => client.cancelFeature(request),
      );
      print(json, accepted, `cancel: ${id}`);
    });
};
