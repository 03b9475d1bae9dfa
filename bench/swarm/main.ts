import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openQueue } from "@agentswarm/queue";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm } from "../../tools/local/start-swarm.ts";
import { agentsCpuMs, checksCpuMs, meterCpu, sharesOf } from "./cpu.ts";
import { figuresOf } from "./figures.ts";
import { makeTarget } from "./make-target.ts";
import { recordFeature, writeScenario, type Recording } from "./record.ts";
import { runFeatures } from "./run-features.ts";

const HELP = `npm run bench:swarm: the whole loop, from features to verified landings, with a model that answers at once

  --tasks <n>     tasks without dependencies; by default 300
  --workers <n>   attempts at once; by default 100
  --quick         40 tasks: a test of the benchmark, not for figures
  --keep          keep the swarm's folder with its logs
  --json          print one JSON line last
  --help          this text

Services, queues, agents in their sandboxes, checks, commits and landings are real; only the model is recorded.
First some tasks run one after another, to measure how soon an agent works on an idle machine (sentToReadyMs,
sentToWorkMs). Then all other tasks run at once, for the other figures. Nothing else should run meanwhile.
`;

const { values } = parseArgs({
  options: {
    tasks: { type: "string" },
    workers: { type: "string", default: "100" },
    quick: { type: "boolean" },
    keep: { type: "boolean" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const say = (line: string) => process.stderr.write(`${line}\n`);
const tasks = Number(values.tasks ?? (values.quick ? 40 : 300));
const LONE_TASKS = values.quick ? 10 : 30;
const TASKS_PER_FEATURE = 20;

const lone = recordFeature("One after another", { tasks: LONE_TASKS, firstPart: 1, chained: true });
const many: Recording[] = [];
for (let at = 0; at < tasks; at += TASKS_PER_FEATURE) {
  const here = { tasks: Math.min(TASKS_PER_FEATURE, tasks - at), firstPart: 1_000 + at, chained: false };
  many.push(recordFeature(`All at once, part ${many.length + 1}`, here));
}

const dir = await mkdtemp(join(tmpdir(), "swarm-bench-"));
try {
  const { REDIS_URL: _, GIT_REPO_URL: __, LLM_BASE_URL: ___, RUNPOD_ENDPOINT_ID: ____, ...env } = process.env;
  // Disposed after the swarm: a control group with processes cannot be removed.
  await using groups = new AsyncDisposableStack();
  await using swarm = await startSwarm({
    home: join(dir, "home"),
    env: {
      ...env,
      TARGET_REPO_PATH: await makeTarget(join(dir, "target")),
      MAX_WORKERS: values.workers,
      API_PORT: String(await freePort()),
      LOG_FORMAT: "json",
      RECORDED_TARGET: "any",
    },
    scenarioDir: await writeScenario(join(dir, "scenario"), [lone, ...many]),
    say,
  });
  await using connection = await openQueue({ redisUrl: swarm.redisUrl, service: "bench" });

  say(`${LONE_TASKS} tasks one after another …`);
  const alone = figuresOf(await runFeatures(swarm.apiUrl, connection, [lone]));
  say(`  the agent of a task is ready after ${alone.sentToReadyMs.p50} ms and asks the model after ${alone.sentToWorkMs.p50} ms
  (p99: ${alone.sentToReadyMs.p99} ms, ${alone.sentToWorkMs.p99} ms)`);

  say(`${tasks} tasks at once, ${values.workers} attempts at a time …`);
  const meter = await meterCpu(swarm, groups);
  if (meter === null) say("  CPU time is not measured: this machine has no control groups");
  const before = meter?.read();
  const startedAt = Date.now();
  const events = await runFeatures(swarm.apiUrl, connection, many);
  const after = meter?.read();
  const figures = figuresOf(events);
  const took = (name: string) => (after?.get(name) ?? 0) - (before?.get(name) ?? 0);
  const services = [...swarm.processes.keys()].filter((name) => name !== "replay");
  const cpu = {
    agents: agentsCpuMs(events),
    checks: checksCpuMs(swarm.home, startedAt, Date.now()),
    replay: took("replay"),
    harness: services.reduce((sum, name) => sum + took(name), 0),
  };
  const cpuShare = sharesOf(cpu);
  const perLanding = (ms: number) => Math.round(ms / figures.landed);
  say(`  ${figures.attempts} attempts, ${figures.landed} landings, ${figures.verifiedPerHour} an hour
  from an attempt's end to the trunk ${figures.doneToLandedMs.p50} ms (p99: ${figures.doneToLandedMs.p99} ms)
  CPU time per landing: agents ${perLanding(cpu.agents)} ms, checks ${perLanding(cpu.checks)} ms, model ${perLanding(cpu.replay)} ms, harness ${perLanding(cpu.harness)} ms
  of which ${services.map((name) => `${name} ${perLanding(took(name))} ms`).join(", ")}
  memory of an attempt ${figures.rssPerAttemptMiB} MiB`);
  if (values.json) {
    const { sentToReadyMs: loadedReadyMs, sentToWorkMs: loadedWorkMs, ...rest } = figures;
    const { sentToReadyMs, sentToWorkMs } = alone;
    const line = {
      ...rest,
      sentToReadyMs,
      sentToWorkMs,
      loadedReadyMs,
      loadedWorkMs,
      cpuShare: meter && cpuShare,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
} finally {
  if (values.keep) say(`kept in ${dir}`);
  else await rm(dir, { recursive: true, force: true });
}
