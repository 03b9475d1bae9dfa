import { ApiError } from "@agentswarm/client";
import type { CliCommand } from "../cli-command.ts";

export const addRetry: CliCommand = (program, { client, print }) => {
  program
    .command("retry <id>")
    .description("take a task or a feature up again that has failed or was cancelled")
    .option("--json", "print JSON")
    .action(async (id: string, { json }: { json?: boolean }) => {
      const accepted = await client.retryTask({ params: { id } }).catch(async (error: unknown) => {
        // The form of an id does not tell whether it is a task's.
        if (!isUnknown(error)) throw error;
        return client.retryFeature({ params: { id } }).catch((other: unknown) => {
          throw isUnknown(other) ? new Error(`there is no task or feature ${id}`) : other;
        });
      });
      print(json, accepted, `retry: ${id}`);
    });
};

function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
