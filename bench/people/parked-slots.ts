import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildAgent } from "@agentswarm/agent";
import { jobId } from "@agentswarm/contracts";
import { startReplay } from "@agentswarm/replay";
import { openSwarm } from "../../services/dispatcher/testing/open-swarm.ts";
import { bullQueue, slotHolders } from "../../test/support/queue.ts";
import type { Measure } from "./measure.ts";

const WAIT_MS = 2_000;
const LOOK_EVERY_MS = 10;
const WITHIN_MS = 300_000;

const SCENARIO = `
- key: feature/asks/work
  steps:
    - calls: [{ tool: write, args: { path: half.txt, content: "half done\\n" } }]
    - calls: [{ tool: ask, args: { question: "Which port?", default: "80" } }]
`;

/**
 * `parkedSlotFreeMs`: how long an attempt whose question nobody answers holds its slot once its wait is over, at most. Its
 * agent hands over its unfinished work, the work goes through quarantine into the store, and its sandbox ends. Real agents
 * in real sandboxes, all of them parked at the same time; the model is recorded.
 */
export const measureParking: Measure = async ({ quick, say }) => {
  const times = await parkTimes(quick ? 2 : 20);
  say(`${times.length} parked attempts: their slots were free ${times.join(", ")} ms after the wait`);
  return { parkedSlotFreeMs: Math.max(...times) };
};

/** The milliseconds of each attempt, shortest first. */
async function parkTimes(agents: number): Promise<number[]> {
  const dir = await mkdtemp(join(tmpdir(), "swarm-parking-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  await writeFile(join(dir, "scenario.yaml"), SCENARIO);
  const agentFile = await buildAgent(join(dir, "agent", "agent.mjs"));
  const replay = stack.use(await startReplay({ scenarioDir: dir }));
  const swarm = stack.use(await openSwarm(replay.url));
  const { connection } = swarm;
  stack.use(
    await swarm.dispatcher({
      AGENT_FILE: agentFile,
      LLM_MODEL: "recorded",
      MAX_WORKERS: String(agents),
      QUESTION_WAIT: String(WAIT_MS / 1_000),
    }),
  );
  const tasks = await Promise.all(Array.from({ length: agents }, () => swarm.submit("ask", { key: "asks" })));
  const deadline = performance.now() + WITHIN_MS;
  const askedAt = async (taskId: string): Promise<number | null> => {
    const job = await bullQueue(connection, "plan").getJob(jobId.question(taskId, 1, 1));
    return (job?.data as { sentAt: number } | undefined)?.sentAt ?? null;
  };
  const freedAt: number[] = [];
  let holders: readonly string[] = [];
  while (freedAt.length < agents) {
    if (performance.now() > deadline) throw new Error(`${freedAt.length} of ${agents} attempts were parked`);
    const now = await slotHolders(connection, "attempts");
    const at = await connection.now();
    for (const id of holders) if (!now.includes(id)) freedAt.push(at);
    holders = now;
    await sleep(LOOK_EVERY_MS);
  }
  const asked = (await Promise.all(tasks.map(({ id }) => askedAt(id)))).flatMap((at) => at ?? []);
  const over = asked.toSorted((a, b) => a - b).map((at) => at + WAIT_MS);
  return freedAt.map((at, nth) => at - (over[nth] ?? at)).toSorted((a, b) => a - b);
}
