import type { CliCommand } from "../cli-command.ts";

interface Options {
  readonly refuse?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

export const addApprove: CliCommand = (program, { client, print }) => {
  program
    .command("approve <task>")
    .description("let a held task land")
    .option("--refuse", "refuse it instead")
    .option("--reason <text>", "why")
    .option("--json", "print JSON")
    .action(async (id: string, { refuse, reason, json }: Options) => {
      const decide = refuse ? client.refuseTask : client.approveTask;
      print(json, await decide({ params: { id }, body: { reason } }), `approve: ${id}`);
    });
};
