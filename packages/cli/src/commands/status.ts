import type { CliCommand } from "../cli-command.ts";
import { formatFeature } from "../format-feature.ts";
import { formatProgress } from "../progress.ts";

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
