import type { FeatureDetail } from "@agentswarm/contracts";
import { plainText } from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";
import { formatProgress, oneLine } from "../progress.ts";

export const addStatus: CliCommand = (program, { client, print }) => {
  program
    .command("status [feature]")
    .description("the whole swarm, or one feature with its tasks")
    .option("--json", "print JSON")
    .action(async (id: string | undefined, { json }: { json?: boolean }) => {
      if (id === undefined) {
        const status = await client.getStatus();
        return print(json, status, formatProgress(await client.allFeatures(), status));
      }
      const feature = await client.getFeature({ params: { id } });
      print(json, feature, formatFeature(feature));
    });
};

function formatFeature({ status, title, tasks }: FeatureDetail): string {
  const lines = tasks.map((task) => {
    const why = task.waiting ? `waiting: ${oneLine(task.waiting.reason)}` : task.reason;
    const reason = why ? ` — ${plainText(why).split("\n")[0]}` : "";
    const held = task.heldCommit === null ? "" : ` (commit ${task.heldCommit.slice(0, 12)})`;
    return `  ${task.status.padEnd(10)} ${task.id}  ${oneLine(task.title)}${reason}${held}`;
  });
  return [`${status}  ${oneLine(title)}`, ...lines].join("\n");
}
