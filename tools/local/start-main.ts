import { once } from "node:events";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Fault } from "@agentswarm/contracts";
import { parseEnv } from "@agentswarm/service";
import { localSettings } from "./config.ts";
import { startSwarm } from "./start-swarm.ts";

const HELP = `npm start: starts Redis, the five services and, where no model is configured, the recorded model.

  --help   this text

Settings come from the environment and from .env; .env.example explains each one.
Stop it with Ctrl-C: running tasks are put back and continue after the next start.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const pretty = process.stdout.isTTY ? { LOG_FORMAT: "pretty" } : {};
  await using swarm = await startSwarm({
    home: parseEnv(localSettings, process.env).SWARM_HOME,
    env: { ...process.env, ...pretty },
    scenarioDir: resolve("tools/demo/scenario"),
    say,
    onOutput: (_name, chunk) => process.stdout.write(chunk),
  });
  say(`\nAgentSwarm is up.
  REST         ${swarm.apiUrl}/v1   (docs at ${swarm.apiUrl}/docs)
  Bull Board   ${swarm.apiUrl}/queues
  lands on     ${swarm.origin}
  model        ${swarm.recorded ? "recorded answers; set LLM_BASE_URL, LLM_API_KEY and LLM_MODEL for a real one" : "as configured"}
  submit       npx swarm submit "Add a health check" --watch\n`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  process.once("SIGINT", () => process.exit(1));
  say("Stopping …");
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Fault ? error.message : ((error as Error).stack ?? String(error))}\n`,
  );
  return 1;
});
