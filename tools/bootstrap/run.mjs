// `node tools/bootstrap/run.mjs <command> [arguments]`: installs what the command needs, then runs it with the
// project's own Node. Plain JavaScript for Node 18 and newer.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, giveUp, localNode, ROOT, settingsArgs } from "./install.mjs";
import { ensureTools, swarmHome } from "./tools.mjs";

/** The TypeScript file that each command runs, and the tools that it requires. */
const COMMANDS = {
  start: { file: "tools/local/start-main.ts", needs: ["redis-server"] },
  demo: { file: "tools/demo/main.ts", needs: ["redis-server"] },
  test: { file: "tools/ci/main.ts", args: ["test"], needs: ["redis-server"] },
  "test:compose": { file: "tools/ci/main.ts", args: ["test", "--only", "compose"], needs: [] },
  "bench:landing": { file: "bench/landing/main.ts", needs: ["redis-server"] },
  "bench:people": { file: "bench/people/main.ts", needs: ["redis-server"] },
  "bench:state": { file: "bench/state/main.ts", needs: ["redis-server"] },
  "bench:swarm": { file: "bench/swarm/main.ts", needs: ["redis-server"] },
  "check:modal": { file: "tools/modal/check-main.ts", needs: [] },
  "check:model": { file: "tools/glm/check-main.ts", needs: [] },
  "bench:gateway": { file: "bench/gateway/main.ts", needs: [] },
  soak: { file: "test/soak/main.ts", needs: ["redis-server"] },
  check: { file: "tools/ci/main.ts", args: ["check"], needs: [] },
};

const [name, ...rest] = process.argv.slice(2);
const command = COMMANDS[name];
if (command === undefined) giveUp(`usage: node tools/bootstrap/run.mjs ${Object.keys(COMMANDS).join(" | ")}`);

ensureInstalled();
const home = swarmHome(ROOT);
const say = (line) => process.stderr.write(`${line}\n`);
const { found, missing, tools } = ensureTools(home, undefined, { fetch: command.needs.length > 0, say });
for (const { name: tool, install } of missing) {
  const message = `${tool} was not found and could not be unpacked. Install it: ${install}`;
  if (command.needs.includes(tool) && !process.env.REDIS_URL) giveUp(message);
  if (command.needs.length > 0) say(message);
}

const child = spawn(
  localNode(),
  [...settingsArgs(), join(ROOT, command.file), ...(command.args ?? []), ...rest],
  {
    stdio: "inherit",
    cwd: ROOT,
    env: {
      ...process.env,
      SWARM_HOME: home,
      SWARM_TOOLS: tools,
      // Every service is a process that loads the same packages: with compiled code kept, a start costs half.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(home, "compile-cache"),
      ...(found["redis-server"] ? { SWARM_REDIS_SERVER: found["redis-server"] } : {}),
    },
  },
);
// A terminal signals the child as well, because it is in the same process group; this is for `kill <pid>`.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
