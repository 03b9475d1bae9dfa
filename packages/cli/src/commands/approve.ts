import type { CliCommand } from "../cli-command.ts";

interface Options {
  readonly refuse?: boolean;
  readonly reason?: string;
  readonly head?: string;
  readonly json?: boolean;
}

export const addApprove: CliCommand = (program, { client, print }) => {
  program
    .command("approve <task>")
    .description("let a held task land")
    .option("--refuse", "refuse it instead")
    .option("--reason <text>", "why")
    .option("--head <commit>", "only if this commit is the one that is held; its first digits will do")
    .option("--json", "print JSON")
    .action(async (id: string, { refuse, reason, head: named, json }: Options) => {
      const decide = refuse ? client.refuseTask : client.approveTask;
      const { heldCommit } = await client.getTask({ params: { id } });
      const head = heldCommit ?? undefined;
      if (named !== undefined && head !== undefined && !head.startsWith(named.toLowerCase()))
        throw new Error(
          `the attempt has changed: commit ${head} is held, not ${named}; look at it and decide again`,
        );
      const accepted = await decide({ params: { id }, body: { reason, head } });
      print(json, accepted, `approve: ${id}${head === undefined ? "" : ` at ${head}`}`);
    });
};
