import { parseArgs } from "node:util";
import { openClient } from "@agentswarm/client";
import { parseEnv } from "@agentswarm/service";
import { describeSummary, parseFeatureCount, playDemo } from "../demo/play-demo.ts";
import { succeeded } from "../demo/summary.ts";
import { demoSettings } from "./config.ts";

// The sample features, or with --features <n> the first n of them, on a swarm in containers. Exit code 0 only if all of them land and green is the trunk.
const { SWARM_URL, SWARM_API_KEY } = parseEnv(demoSettings, process.env);
const { values } = parseArgs({ options: { features: { type: "string" } } });
const client = openClient({ url: SWARM_URL, key: SWARM_API_KEY });
const summary = await playDemo(client, process.stdout, parseFeatureCount(values.features));
const ok = succeeded(summary);
process.stdout.write(`\n${describeSummary(summary, ok)}\n${JSON.stringify(summary)}\n`);
process.exitCode = ok ? 0 : 1;
