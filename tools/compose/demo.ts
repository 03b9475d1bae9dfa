import { ApiClient } from "@agentswarm/cli";
import { describeSummary, playDemo } from "../demo/play-demo.ts";
import { succeeded } from "../demo/summary.ts";

// The sample features on a swarm in containers; exit code 0 only if all of them land and green is the trunk.
const client = new ApiClient(
  process.env["SWARM_URL"] ?? "http://127.0.0.1:8080",
  process.env["SWARM_API_KEY"],
);
const summary = await playDemo(client, process.stdout);
const ok = succeeded(summary);
process.stdout.write(`\n${describeSummary(summary, ok)}\n${JSON.stringify(summary)}\n`);
process.exitCode = ok ? 0 : 1;
