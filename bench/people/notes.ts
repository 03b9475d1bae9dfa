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
/**
 * The kills while the agents of one feature run. One of the dispatcher: after a second crash over the same jobs it would
 * run only a few of them at a time, to find out which of them kills it.
 */
const KILLS = ["planner", "dispatcher", "planner", "planner"] as const;
const FEATURES = 5;
const BETWEEN_KILLS_MS = 4_000;
const ENDS_WITHIN_MS = 480_000;

/**
 * How soon running agents have what people say to them, each in a sandbox of its own with a slow tool; then dispatcher and
 * planner are killed by turns while people go on talking. A note counts as lost when the conversation that landed its task
 * lacks it, and as heard twice when a conversation has it twice.
 */
export const measureNotes: Measure = async ({ quick, keep, env: own, say }) => {
  const [agents, features] = quick ? [4, 1] : [50, FEATURES];
  const dir = await mkdtemp(join(tmpdir(), "swarm-people-"));
  try {
    const all = Array.from({ length: features }, (_, nth) =>
      recordSlowFeature(`Slow ${nth + 1}`, agents, nth),
    );
    const { REDIS_URL: _, GIT_REPO_URL: __, LLM_BASE_URL: ___, RUNPOD_ENDPOINT_ID: ____, ...env } = own;
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
      scenarioDir: await writeScenario(join(dir, "scenario"), all),
      say,
    });
    const client = openClient({ url: swarm.apiUrl });
    const transcripts = join(swarm.home, "artifacts", "transcripts");
    const delays: number[] = [];
    const sums = { notes: 0, attempts: 0, expected: 0, lost: 0, twice: 0 };
    for (const { feature } of all) {
      const { id: featureId } = await client.submitFeature({ body: feature });
      const taskIds = await runningTasks(client, featureId, transcripts, agents);
      const people = openPeople(client, featureId, taskIds);
      if (delays.length === 0) {
        say(`  ${agents} agents run; people say ${ROUNDS} notes to each`);
        for (let round = 0; round < ROUNDS; round += 1) {
          for (const taskId of taskIds) {
            await people.say(taskId);
            await sleep(BETWEEN_MS);
          }
        }
        await sleep(2_000);
        delays.push(...delaysOf(await readAttempts(transcripts, taskIds)));
      }
      say(`  ${feature.title}: services are killed ${KILLS.length} times, and people go on talking`);
      for (const [nth, name] of KILLS.entries()) {
        await people.say(taskIds[nth % agents] ?? "");
        await kill(swarm, name);
        for (let more = 0; more < 5; more += 1) await people.say(taskIds[(nth * 5 + more) % agents] ?? "");
        await people.say(null);
        await sleep(BETWEEN_KILLS_MS);
      }
      await runningTasks(client, featureId, transcripts, agents);
      await people.taken();
      // An interrupting note ends the slow tools, and the agents finish.
      await people.say(null, "interrupt");
      await ended(client, featureId);
      const compared = compareHeard(await readAttempts(transcripts, taskIds), people.said);
      sums.notes += people.said.length;
      for (const name of ["attempts", "expected", "lost", "twice"] as const) sums[name] += compared[name];
    }
    say(`  ${JSON.stringify(sums)}`);
    return {
      noteToRunnerMsP50: percentile(delays, 0.5),
      noteToRunnerMsP95: percentile(delays, 0.95),
      notesLost: sums.lost,
      notesTwice: sums.twice,
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
    /** Resolves once the swarm has taken everything in that was said. */
    async taken() {
      const count = async (notes: Promise<{ notes: readonly { taskId: string | null }[] }>, own: boolean) =>
        (await notes).notes.filter(({ taskId }) => (taskId !== null) === own).length;
      for (const end = Date.now() + ENDS_WITHIN_MS; Date.now() < end; await sleep(500)) {
        let taken = await count(client.featureNotes({ params: { id: featureId } }), false);
        for (const id of taskIds) taken += await count(client.taskNotes({ params: { id } }), true);
        if (taken === said.length) return;
      }
      throw new Error("the swarm did not take in all notes");
    },
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
  return attempts.flatMap(({ received }) =>
    received.map(({ at, receivedAt }) => Math.max(0, receivedAt - at)),
  );
}
