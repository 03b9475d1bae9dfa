import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureEndToEnd, measureGated } from "./end-to-end.ts";
import { measureGrowth } from "./memory.ts";
import { measureRows, p99, type Row } from "./rows.ts";

const HELP = `npm run bench:landing: landings a second, compared with \`git merge --no-ff\` in a work tree in the same run

  --quick   fewer branches and landings: a test of the benchmark, not for figures
  --json    print one JSON line last
  --help    this text

It takes about ten minutes. Nothing else should run meanwhile. The ratios matter more than the absolute figures.
`;

const { values } = parseArgs({
  options: { quick: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const say = (line: string) => process.stderr.write(`${line}\n`);
const sizes = values.quick ? [100] : [100, 1_000, 20_000];
const branches = values.quick ? 100 : 500;

const home = await mkdtemp(join(tmpdir(), "swarm-bench-"));
try {
  const rows: Row[] = [];
  let loneP99Ms = 0;
  for (const files of sizes) {
    for (const conflictPct of [0, 5]) {
      say(`${files} files, ${conflictPct} % conflicts …`);
      const measured = await measureRows(home, { files, branches, conflictPct });
      rows.push(...measured.rows);
      for (const row of measured.rows) {
        say(
          `  groups of ${row.group}: ${row.perSec}/s, ${row.ratio} times git merge (${row.baselinePerSec}/s)`,
        );
      }
      if (files === 1_000 || values.quick) loneP99Ms = p99(measured.lonePart);
    }
  }
  say("merge job to handoff …");
  const endToEndPerSec = await measureEndToEnd();
  say(`  ${endToEndPerSec}/s`);
  say("with a gate of 2 s that 2 % fail …");
  const gated = await measureGated(values.quick ? 50 : 300);
  say(`  ${gated.perHour} an hour, ${gated.tests} tests`);
  say("memory …");
  const rssGrowthMiB = await measureGrowth(home, values.quick ? 1_000 : 10_000);
  say(`  ${rssGrowthMiB} MiB more`);
  if (values.json)
    process.stdout.write(`${JSON.stringify({ rows, loneP99Ms, endToEndPerSec, rssGrowthMiB, gated })}\n`);
} finally {
  await rm(home, { recursive: true, force: true });
}
