import type { TaskDetail } from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";
import { diffStat } from "../diff-stat.ts";
import { parseWholeNumber } from "../parse-whole-number.ts";
import { taskOrFeature } from "../task-or-feature.ts";

interface Options {
  readonly attempt?: number;
  readonly stat?: boolean;
}

export const addDiff: CliCommand = (program, { client, out }) => {
  program
    .command("diff <id>")
    .description("what an attempt of a task changes, or a whole feature")
    .option(
      "--attempt <n>",
      "which attempt of the task; by default the newest with commits",
      parseWholeNumber(1),
    )
    .option("--stat", "only the numbers of lines of each file")
    .action(async (id: string, { attempt, stat }: Options) => {
      const found = await taskOrFeature<TaskDetail | string>(
        id,
        () => client.getTask({ params: { id } }),
        () => client.getFeatureDiff({ params: { id } }),
      );
      const text =
        typeof found === "string"
          ? found
          : await client.getAttemptDiff({ params: { id, attempt: attempt ?? newestWithCommits(found) } });
      out.write(stat ? diffStat(text) : text);
    });
};

function newestWithCommits({ id, attempts }: TaskDetail): number {
  const found = attempts.findLast(({ handoff }) => (handoff?.headCommit ?? null) !== null);
  if (found === undefined) throw new Error(`no attempt of task ${id} has commits`);
  return found.attempt;
}
