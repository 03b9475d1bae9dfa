import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openClient } from "@agentswarm/client";
import { Fault } from "@agentswarm/contracts";
import { parseEnv } from "@agentswarm/service";
import { localSettings } from "../local/config.ts";
import { freePort } from "../local/free-port.ts";
import { startSwarm } from "../local/start-swarm.ts";
import { describeSummary, parseFeatureCount, playDemo } from "./play-demo.ts";
import { succeeded } from "./summary.ts";

const HELP = `npm run demo: the swarm builds VoxelCraft, from an empty trunk to a game that can be played

  --features <n>   submit only the first n of the eight features
  --json           print one JSON line last
  --keep           keep the swarm running afterwards
  --help           this text

Without a configured model (LLM_BASE_URL or RUNPOD_ENDPOINT_ID) recorded answers are played. Services, sandboxes,
checks and landings are real in any case. Exit code 0 only if every feature is done and green is the trunk.
`;
const DEMO_WORKERS = "4";
const HERE = import.meta.dirname;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      features: { type: "string" },
      json: { type: "boolean" },
      keep: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const count = parseFeatureCount(values.features);
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const home = join(parseEnv(localSettings, process.env).SWARM_HOME, "demo");
  // Each demo starts with a fresh trunk; installed dependencies are kept.
  for (const part of ["origin.git", "store.git", "mirrors", "redis", "artifacts", "bundles", "sandboxes"]) {
    await rm(join(home, part), { recursive: true, force: true });
  }
  const { REDIS_URL: _, GIT_REPO_URL: __, ...env } = process.env;
  say("Starting Redis, five services and a target repository …");
  await using swarm = await startSwarm({
    home,
    env: {
      MAX_WORKERS: DEMO_WORKERS,
      ...env,
      TARGET_REPO_PATH: resolve(HERE, "../../target-repo"),
      API_PORT: String(await freePort()),
    },
    scenarioDir: join(HERE, "scenario"),
    say,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void swarm.stop().finally(() => process.exit(1)));
  }
  if (swarm.recorded) say("No model is configured: recorded answers are played. Everything else is real.");
  say(`Watch it in Bull Board: ${swarm.apiUrl}/queues\n`);

  const client = openClient({ url: swarm.apiUrl });
  const summary = await playDemo(client, values.json ? process.stderr : process.stdout, count);
  const ok = succeeded(summary);
  say(`
${describeSummary(summary, ok)}

  what landed    git -C ${swarm.origin} log --stat
  play it        git clone ${swarm.origin} voxelcraft && cd voxelcraft && npm install && npm run dev
  transcripts    ${join(home, "artifacts/transcripts")}
  logs           ${join(home, "logs")}`);
  if (values.keep) {
    say(`\nThe swarm is still running at ${swarm.apiUrl}; Ctrl-C stops it.`);
    await new Promise<never>(() => undefined);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  return ok ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Fault ? error.message : String((error as Error).stack)}\n`);
  return 1;
});
