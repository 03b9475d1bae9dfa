import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openClient, type SwarmClient } from "@agentswarm/client";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { makeTarget } from "../swarm/make-target.ts";
import { writeScenario } from "../swarm/record.ts";
import type { Measure } from "./measure.ts";
import { compareHeard, percentile, readAttempts, type Attempt, type Said } from "./read-attempts.ts";
import { recordSlowFeature } from "./record-slow-feature.ts";

const ROUNDS = 8;
const BETWEEN_MS = 60;
const BETWEEN_KILLS_MS = 4_000;
const ENDS_WITHIN_MS = 480_000;

/**
 * How soon running agents have what people say to them, each in a sandbox of its own with a slow tool; then dispatcher and
 * planner are killed by turns while people go on talking. A note counts as lost when the conversation that landed its task
 * lacks it, and as heard twice when a conversation has it twice.
 */
export const measureNotes: Measure = async ({ quick, keep, say }) => {
  const [agents, kills] = quick ? [4, 4] : [50, 20];
  const dir = await mkdtemp(join(tmpdir(), "swarm-people-"));
  try {
    const slow = recordSlowFeature(agents);
    const { REDIS_URL: _, GIT_REPO_URL: __, LLM_BASE_URL: ___, RUNPOD_ENDPOINT_ID: ____, ...env } = process.env;
    await using swarm = await startSwarm({
      home: join(dir, "home"),
      env: {
        ...env,
        TARGET_REPO_PATH: await makeTarget(join(dir, "target")),
        MAX_WORKERS: String(agents),
        API_PORT: String(await freePort()),
        LOG_FORMAT: "json",
        RECORDED_TARGET: "any",
      },
      scenarioDir: await writeScenario(join(dir, "scenario"), [slow]),
      say,
    });
    const client = openClient({ url: swarm.apiUrl });
    const { id: featureId } = await client.submitFeature({ body: slow.feature });
    const transcripts = join(swarm.home, "artifacts", "transcripts");
    const taskIds = await runningTasks(client, featureId, transcripts, agents);
    const people = openPeople(client, featureId, taskIds);

    say(`  ${agents} agents run; people say ${ROUNDS} notes to each`);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const taskId of taskIds) {
        await people.say(taskId);
        await sleep(BETWEEN_MS);
      }
    }
    await sleep(2_000);
    const quiet = delaysOf(await readAttempts(transcripts, taskIds));

    say(`  dispatcher and planner are killed ${kills} times, and people go on talking`);
    for (let nth = 0; nth < kills; nth += 1) {
      await people.say(taskIds[nth % agents] ?? "");
      await kill(swarm, nth % 2 === 0 ? "dispatcher" : "planner");
      for (let more = 0; more < 5; more += 1) await people.say(taskIds[(nth * 5 + more) % agents] ?? "");
      await people.say(null);
      await sleep(BETWEEN_KILLS_MS);
    }
    say("  an interrupting note ends the slow tools, and the agents finish");
    await runningTasks(client, featureId, transcripts, agents);
    await people.say(null, "interrupt");
    await ended(client, featureId);
    const compared = compareHeard(await readAttempts(transcripts, taskIds), people.said);
    say(`  ${people.said.length} notes, ${compared.attempts} attempts, ${compared.expected} hearings expected`);
    return {
      noteToRunnerMsP50: percentile(quiet, 0.5),
      noteToRunnerMsP95: percentile(quiet, 0.95),
      notesLost: compared.lost,
      notesTwice: compared.twice,
    };
  } finally {
    if (keep) say(`  kept in ${dir}`);
    else await rm(dir, { recursive: true, force: true, maxRetries: 3 });
  }
};

/** People who say notes with a number each, so that every one is found in a conversation. */
function openPeople(client: SwarmClient, featureId: string, taskIds: readonly string[]) {
  const said: Said[] = [];
  return {
    said,
    async say(taskId: string | null, mode: "steer" | "interrupt" = "steer") {
      const text = `Note number ${said.length + 1}.`;
      const body = { text, mode };
      if (taskId === null) await client.sayToFeature({ params: { id: featureId }, body });
      else await client.sayToTask({ params: { id: taskId }, body });
      said.push({ text, taskIds: taskId === null ? taskIds : [taskId] });
    },
  };
}

/** Resolves with the ids of the feature's tasks once each has an agent in its slow tool. */
async function runningTasks(
  client: SwarmClient,
  featureId: string,
  transcripts: string,
  agents: number,
): Promise<string[]> {
  for (const end = Date.now() + ENDS_WITHIN_MS; Date.now() < end; await sleep(1_000)) {
    const { tasks } = await client.getFeature({ params: { id: featureId } });
    const running = tasks.filter(({ status }) => status === "running").map(({ id }) => id);
    if (running.length < agents) continue;
    const attempts = await readAttempts(transcripts, running);
    const working = attempts.filter(({ isNewest, answers }) => isNewest && answers > 0);
    if (working.length === agents) return running;
  }
  throw new Error(`not all of the ${agents} agents ran within ${ENDS_WITHIN_MS / 1_000} s`);
}

async function ended(client: SwarmClient, featureId: string): Promise<void> {
  for (const end = Date.now() + ENDS_WITHIN_MS; Date.now() < end; await sleep(1_000)) {
    const { status, reason } = await client.getFeature({ params: { id: featureId } });
    if (status === "done") return;
    if (status === "failed" || status === "cancelled") throw new Error(`the feature is ${status}: ${reason}`);
  }
  throw new Error(`the feature did not end within ${ENDS_WITHIN_MS / 1_000} s`);
}

/** Kills a service, which its supervisor starts again. */
async function kill({ processes }: LocalSwarm, name: "dispatcher" | "planner"): Promise<void> {
  const service = processes.get(name);
  for (let tries = 0; tries < 200 && service?.pid === null; tries += 1) await sleep(100);
  if (typeof service?.pid === "number") process.kill(service.pid, "SIGKILL");
}

/** Milliseconds from each note's being said to its runner. */
function delaysOf(attempts: readonly Attempt[]): number[] {
  return attempts.flatMap(({ received }) => received.map(({ at, receivedAt }) => Math.max(0, receivedAt - at)));
}
