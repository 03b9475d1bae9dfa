import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { MEASURES } from "./figures.ts";

const HELP = `npm run bench:people: how the swarm takes what people say and decide

  --quick          few rounds: a test of the benchmark, not for figures
  --only <names>   only these, separated by commas: ${Object.keys(MEASURES).join(", ")}
  --keep           keep the folders of the swarms that were started, with their logs
  --json           print one JSON line last
  --help           this text

It needs a redis-server. Nothing else should run meanwhile.
`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    keep: { type: "boolean", default: false },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const only = values.only?.split(",");
const unknown = only?.find((name) => !(name in MEASURES));
if (unknown !== undefined) {
  process.stderr.write(`--only ${unknown}: there is only ${Object.keys(MEASURES).join(", ")}\n`);
  process.exit(2);
}
const say = (line: string) => process.stderr.write(`${line}\n`);
const [loadAverage = 0] = loadavg();
const figures: Record<string, number> = {};
for (const [name, measure] of Object.entries(MEASURES)) {
  if (only !== undefined && !only.includes(name)) continue;
  say(`${name} …`);
  const measured = await measure({ quick: values.quick, keep: values.keep, env: process.env, say });
  say(`  ${JSON.stringify(measured)}`);
  Object.assign(figures, measured);
}
if (values.json) process.stdout.write(`${JSON.stringify({ loadAverage, ...figures })}\n`);
