import { once } from "node:events";
import { parseArgs } from "node:util";
import { startReplay } from "./start-replay.ts";

const { values } = parseArgs({
  options: { scenario: { type: "string" }, host: { type: "string" }, port: { type: "string", default: "0" } },
});
if (values.scenario === undefined) {
  process.stderr.write(
    "usage: node packages/replay/src/main.ts --scenario <folder> [--host <address>] [--port <n>]\n",
  );
  process.exit(2);
}
const replay = await startReplay({
  scenarioDir: values.scenario,
  port: Number(values.port),
  ...(values.host === undefined ? {} : { host: values.host }),
});
process.stdout.write(`Serving recorded answers (no model): ${replay.url}\n`);
await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
await replay.close();
