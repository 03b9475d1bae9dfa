import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openClient, type SwarmClient } from "@agentswarm/client";
import type { Decision, DecisionKind, FeatureDetail } from "@agentswarm/contracts";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { makeKey } from "../../services/api/testing/make-key.ts";
import { git, makeStringKit } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

/**
 * One feature with people at every step: its plan is approved, its agent's question is answered after the dispatcher was
 * killed, its first landing is refused with a reason, the second one is approved by another person, and in the end the
 * feature is reverted.
 */
let dir: string;
let origin: string;
let swarm: LocalSwarm;
let before: string;
let ada: SwarmClient;
let bob: SwarmClient;
let cleo: SwarmClient;
let otto: SwarmClient;
let id: string;
const said: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-people-"));
  origin = makeStringKit(dir);
  before = git(origin, "rev-parse", "main^{tree}");
  const home = join(dir, "home");
  swarm = await startSwarm({
    home,
    env: {
      ...process.env,
      GIT_REPO_URL: origin,
      API_PORT: String(await freePort()),
      REDIS_URL: "",
      RECORDED_TARGET: "any",
      PLAN_APPROVAL_FROM_TASKS: "1",
      LANDING: "hold",
      FOUR_EYES: "on",
      QUESTION_WAIT: "1",
    },
    scenarioDir: join(import.meta.dirname, "../fixtures/people"),
    say: (line) => said.push(line),
  });
  const clientOf = async (role: Parameters<typeof makeKey>[1]) =>
    openClient({ url: swarm.apiUrl, key: await makeKey({ SWARM_HOME: home }, role) });
  [ada, bob, cleo, otto] = [
    await clientOf("submitter"),
    await clientOf("reviewer"),
    await clientOf("reviewer"),
    await clientOf("operator"),
  ];
  ({ id } = await ada.submitFeature({
    body: { title: "Turn titles into slugs", acceptance: ["slugify has a test"] },
  }));
});
afterAll(async () => {
  await swarm?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The open decision of a kind that is not one of `known`. */
function asked(kind: DecisionKind, known: readonly string[] = []): Promise<Decision> {
  return waitUntil(
    `a decision of kind ${kind}`,
    90_000,
    async () => {
      const { decisions } = await bob.listDecisions({ query: { state: "open" } });
      return decisions.find((one) => one.kind === kind && !known.includes(one.id)) ?? null;
    },
    () => said.join("\n"),
  );
}

function answer(who: SwarmClient, decision: Decision, option: string, text = "", head = decision.head) {
  return who.answerDecision({
    params: { id: decision.id },
    ...(head === null ? {} : { headers: { "if-match": `"${head}"` } }),
    body: { option, text },
  });
}

async function feature(what: string, until: (feature: FeatureDetail) => boolean): Promise<FeatureDetail> {
  let last: FeatureDetail | undefined;
  return waitUntil(
    what,
    90_000,
    async () => {
      last = await bob.getFeature({ params: { id } });
      return until(last) ? last : null;
    },
    () => `It is ${JSON.stringify(last)}. ${said.join("\n")}`,
  );
}

const statusOf = (asking: Promise<unknown>) =>
  asking.then(
    () => 200,
    (error: { status?: number }) => error.status,
  );

test("nothing is sent before another person than the one who asked has approved the plan", async () => {
  const plan = await asked("plan");
  expect(plan.ask).toContain("Add slugify");
  expect(
    (await feature("held", ({ status }) => status === "held")).tasks.map((task) => task.attempts),
  ).toEqual([0]);
  expect(await statusOf(answer(ada, plan, "approve"))).toBe(403);
  expect(await statusOf(answer(bob, plan, "approve", "", "0".repeat(40)))).toBe(412);
  expect(await answer(bob, plan, "approve")).toMatchObject({ state: "answered" });
  expect(await statusOf(answer(cleo, plan, "refuse"))).toBe(409);
});

test("a question waits without a sandbox, over a killed dispatcher, and its answer opens the next round upon the work", async () => {
  const question = await asked("question");
  expect(question).toMatchObject({
    ask: expect.stringContaining("Which sign joins the words"),
    default: "dash",
  });
  await feature("parked", ({ tasks }) => tasks[0]?.status === "held");
  const dispatcher = swarm.processes.get("dispatcher");
  const pid = dispatcher?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  await waitUntil("another dispatcher", 30_000, () =>
    dispatcher?.pid && dispatcher.pid !== pid ? true : null,
  );
  await answer(bob, question, "underscore", "underscore, please");
});

let refused: Decision;

test("a landing that is refused with a reason is made again, and the reason is in the next round's prompt", async () => {
  refused = await asked("landing");
  // The parked file is gone: the round went on upon it and removed it.
  const { taskId, attempt } = refused;
  const diff = await bob.getAttemptDiff({ params: { id: taskId ?? "", attempt: String(attempt) } });
  expect(diff).toContain("slugify.js");
  expect(diff).not.toContain("draft.js");
  await answer(bob, refused, "refuse", "there is no test");
});

test("the next attempt is approved by another person and lands; the answer of before decides nothing about it", async () => {
  const landing = await asked("landing", [refused.id]);
  expect(await statusOf(answer(cleo, landing, "approve", "", refused.head))).toBe(412);
  await answer(cleo, landing, "approve");
  const done = await feature("the feature's end", ({ status }) => status === "done" || status === "failed");
  expect(done).toMatchObject({ status: "done" });
  expect(git(origin, "ls-tree", "--name-only", "main:src")).toContain("slugify.test.js");
});

test("the feature is reverted by one command, with who and why; the order approves its landing", async () => {
  expect(await statusOf(bob.revertFeature({ params: { id }, body: { why: "no" } }))).toBe(403);
  await otto.revertFeature({ params: { id }, body: { why: "titles have umlauts" } });
  const reverted = await feature("the revert", ({ status }) => status === "cancelled");
  expect(reverted.reason).toMatch(/reverted by .*: titles have umlauts/);
  expect(git(origin, "rev-parse", "main^{tree}")).toBe(before);
});
