import { openClient } from "@agentswarm/client";
import { parseEnv } from "@agentswarm/service";
import { describeSummary, playDemo } from "../demo/play-demo.ts";
import { succeeded } from "../demo/summary.ts";
import { demoSettings } from "./config.ts";

// The sample features on a swarm in containers. Exit code 0 only if all of them land and green is the trunk.
const { SWARM_URL, SWARM_API_KEY } = parseEnv(demoSettings, process.env);
const summary = await playDemo(openClient({ url: SWARM_URL, key: SWARM_API_KEY }), process.stdout);
const ok = succeeded(summary);
process.stdout.write(`\n${describeSummary(summary, ok)}\n${JSON.stringify(summary)}\n`);
process.exitCode = ok ? 0 : 1;
