import type { CliCommand } from "../cli-command.ts";

export const addMe: CliCommand = (program, { client, print }) => {
  program
    .command("me")
    .description("who you are to the swarm, and your role")
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const me = await client.getMe();
      print(json, me, `${me.id}  ${me.role}`);
    });
};
