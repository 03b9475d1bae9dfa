#!/usr/bin/env node
// The `swarm` command. Plain JavaScript for Node 18 and newer: re-runs itself with the project's own Node.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, localNode, ROOT, settingsArgs } from "./install.mjs";
import { ensureTools, swarmHome, unpackable } from "./tools.mjs";

ensureInstalled();
const home = swarmHome(ROOT);
const doctor = process.argv[2] === "doctor";
const { found, missing, tools } = ensureTools(home, undefined, { fetch: false });
const file = doctor ? "tools/doctor/main.ts" : "packages/cli/src/main.ts";
const child = spawn(
  localNode(),
  [
    ...settingsArgs(),
    join(ROOT, file),
    ...(doctor ? [`--unpacks=${unpackable(missing).join(",")}`] : []),
    ...process.argv.slice(doctor ? 3 : 2),
  ],
  {
    stdio: "inherit",
    env: {
      ...process.env,
      SWARM_HOME: home,
      SWARM_TOOLS: tools,
      ...(found["redis-server"] ? { SWARM_REDIS_SERVER: found["redis-server"] } : {}),
    },
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
