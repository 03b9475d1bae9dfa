import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { FIGURES } from "./figures.ts";

const HELP = `npm run bench:state: what the swarm's state costs: processor time and Redis memory as features and events grow

  --quick          small sizes: a test of the benchmark, not for figures
  --only <names>   only these figures, separated by commas: ${Object.keys(FIGURES).join(", ")}
  --json           print one JSON line last
  --help           this text

Times are processor time of the measuring process, medians of batches. \`baseline\` is the approach of version 0.1.0,
measured in the same run. It needs a redis-server. Nothing else should run meanwhile.
`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const only = values.only?.split(",");
const unknown = only?.find((name) => !(name in FIGURES));
if (unknown !== undefined) {
  process.stderr.write(
    `--only ${unknown}: there is no such figure; there are ${Object.keys(FIGURES).join(", ")}\n`,
  );
  process.exit(2);
}
const say = (line: string) => process.stderr.write(`${line}\n`);
const [loadAverage = 0] = loadavg();
const figures: Record<string, unknown> = {};
for (const [name, measure] of Object.entries(FIGURES)) {
  if (only !== undefined && !only.includes(name)) continue;
  say(`${name} …`);
  const figure = await measure({ quick: values.quick, say });
  say(`  ${JSON.stringify(figure)}`);
  figures[name] = figure;
}
if (values.json) process.stdout.write(`${JSON.stringify({ loadAverage, ...figures })}\n`);
