import { Argument } from "commander";
import { plainText, QUEUE_NAMES, type FailedJobSummary, type QueueName } from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";

export const addJobs: CliCommand = (program, { client, print }) => {
  const jobs = program.command("jobs").description("dead letters: failed jobs, which no service retries");
  jobs
    .command("list", { isDefault: true })
    .description("failed jobs of all queues, newest first")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const answer = await client.listJobs();
      print(json, answer, formatJobs(answer.jobs));
    });
  jobs
    .command("retry")
    .addArgument(new Argument("<queue>").choices(QUEUE_NAMES))
    .argument("<job>")
    .description("put a failed job back into its queue")
    .option("--json", "print JSON")
    .action(async (queue: QueueName, id: string, { json }: { json?: boolean }) => {
      print(json, await client.retryJob({ params: { queue, id } }), `jobs retry: ${queue} ${id}`);
    });
};

function formatJobs(jobs: readonly FailedJobSummary[]): string {
  if (jobs.length === 0) return "no failed jobs";
  return jobs
    .map(({ queue, id, reason, failedAt }) => {
      const at = failedAt === null ? "–" : new Date(failedAt).toISOString();
      return `${at}  ${queue.padEnd(5)}  ${plainText(id)}  ${plainText(reason).split("\n")[0]}`;
    })
    .join("\n");
}
