import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { percentile } from "../landing/measure.ts";
import { measureGateway } from "./measure-gateway.ts";

const HELP = `npm run bench:gateway: the time that door and gateway add until the first byte of a model's answer

  --streams <n>   streams through the gateway at once (100), and as many direct ones
  --quick         five seconds instead of thirty: a test of the benchmark, not for figures
  --json          print one JSON line last
  --help          this text

Direct requests to the same server alternate with those through the gateway. Nothing else should run meanwhile.
`;

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "100" },
    quick: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [loadAverage = 0] = loadavg();
const streams = Number(values.streams);
const { direct, door, cpuMsPerCall } = await measureGateway({
  streams,
  doors: Math.min(10, streams),
  bodyBytes: 20_000,
  warmUpMs: values.quick ? 1_000 : 5_000,
  measureMs: values.quick ? 5_000 : 30_000,
});
const round = (ms: number) => Math.round(ms * 100) / 100;
const figuresOf = (times: readonly number[]) => ({
  p50: round(percentile(times, 0.5)),
  p99: round(percentile(times, 0.99)),
});
const [directMs, gatewayMs] = [figuresOf(direct), figuresOf(door)];
const addedMs = { p50: round(gatewayMs.p50 - directMs.p50), p99: round(gatewayMs.p99 - directMs.p99) };
const cpuMs = round(cpuMsPerCall);
const say = (line: string) => process.stderr.write(`${line}\n`);
say(
  `${streams} streams at once; milliseconds to the first byte (load of the machine before: ${loadAverage})`,
);
say(`  direct            p50 ${directMs.p50}  p99 ${directMs.p99}  (${direct.length} calls)`);
say(`  door and gateway  p50 ${gatewayMs.p50}  p99 ${gatewayMs.p99}  (${door.length} calls)`);
say(`  added             p50 ${addedMs.p50}  p99 ${addedMs.p99}`);
say(`  the gateway takes ${cpuMs} ms of CPU time for a stream of ten chunks`);
if (values.json)
  process.stdout.write(
    `${JSON.stringify({ streams, loadAverage, directMs, gatewayMs, addedMs, cpuMsPerCall: cpuMs, calls: { direct: direct.length, gateway: door.length } })}\n`,
  );
