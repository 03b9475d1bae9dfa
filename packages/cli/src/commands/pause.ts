import { DEFAULT_REPO, nameOfPause, type PauseScope } from "@agentswarm/contracts";
import type { CliCommand } from "../cli-command.ts";

interface Options {
  readonly landings?: true | string;
  readonly why?: string;
  readonly json?: boolean;
}

export const addPause: CliCommand = (program, { client, print }) => {
  program
    .command("pause [feature]")
    .description("begin no task of the swarm or of a feature, or land nothing; what runs goes on")
    .option("--landings [repository]", "land nothing on the trunk, and work on")
    .requiredOption("--why <text>", "shown wherever work waits for it")
    .option("--json", "print JSON")
    .action(async (feature: string | undefined, { landings, why = "", json }: Options) => {
      const scope = scopeOf(feature, landings);
      print(json, await client.pauseWork({ body: { scope, why } }), `pause: ${nameOfPause(scope)}`);
    });
};

export const addResume: CliCommand = (program, { client, print }) => {
  program
    .command("resume [feature]")
    .description("take up again what was paused")
    .option("--landings [repository]", "landings on the trunk")
    .option("--why <text>", "the reason, shown with the pause and in its event")
    .option("--json", "print JSON")
    .action(async (feature: string | undefined, { landings, why, json }: Options) => {
      const scope = scopeOf(feature, landings);
      print(json, await client.resumeWork({ body: { scope, why } }), `resume: ${nameOfPause(scope)}`);
    });
};

function scopeOf(featureId: string | undefined, landings: Options["landings"]): PauseScope {
  if (featureId !== undefined && landings !== undefined)
    throw new Error("name a feature or --landings, not both: a feature's tasks land with those of others");
  if (featureId !== undefined) return { kind: "feature", featureId };
  if (landings === undefined) return { kind: "swarm" };
  return { kind: "landings", repoId: landings === true ? DEFAULT_REPO : landings };
}
