import { afterAll, beforeAll, expect, test } from "vitest";
import { isEventOf, TRUNK_HEALTH } from "@agentswarm/contracts";
import { openBudgets } from "@agentswarm/queue";
import { refusal, type Answer } from "../../../test/support/scripted-model.ts";
import { checksAre, startReconciler, type TestReconciler } from "../testing/start-reconciler.ts";

const failing = (...names: string[]) =>
  checksAre(...names.map((name) => `echo "not ok 1 - ${name} in src/${name}.js"; exit 1`));
const draft = { signature: "*", title: "Fix it", description: "Here is how.", scope: [] };

let reconciler: TestReconciler;
let answer: () => Answer = () => ({ drafts: [draft] });
beforeAll(async () => {
  reconciler = await startReconciler(() => answer());
});
afterAll(() => reconciler?.[Symbol.asyncDispose]());

/** Requests a sweep and returns the result that the planner receives. */
async function sweepNow() {
  asked += 1;
  await reconciler.ask(`ask-${asked}`);
  return reconciler.swept(`ask-${asked}`);
}
let asked = 0;

test("green moves to a head that passes every check and stays when one check fails", async () => {
  const good = reconciler.commit(checksAre("true", "test -e README.md"));
  expect(await sweepNow()).toMatchObject({ outcome: "green", head: good, green: good });
  expect(reconciler.green()).toBe(good);

  const bad = reconciler.commit(checksAre("true", 'echo "not ok 1 - sums"; exit 3'));
  const sweep = await sweepNow();
  expect(sweep).toMatchObject({ outcome: "red", head: bad, green: good });
  expect(sweep.checks.map((check) => check.exitCode)).toEqual([0, 3]);
  expect(sweep.failures).toHaveLength(1);
  expect(sweep.failures[0]?.outputTail).toContain("not ok 1 - sums");
  expect(sweep.drafts).toEqual([{ ...draft, signature: sweep.failures[0]?.signature }]);
  expect(reconciler.green()).toBe(good);
  const commits = (await reconciler.events()).filter((event) => event.type === "trunk.green");
  expect(commits.map((event) => event.data["commit"])).not.toContain(bad);
});

test("at most five of seven failures are sent to the model and drafted", async () => {
  const drafts = Array.from({ length: 5 }, () => draft);
  answer = () => ({ drafts });
  const before = reconciler.model.asked.length;
  reconciler.commit(failing("a", "b", "c", "d", "e", "f", "g"));
  const sweep = await sweepNow();
  const signatures = sweep.failures.map((failure) => failure.signature);
  expect(new Set(signatures).size).toBe(7);
  expect(sweep.drafts.map((one) => one.signature)).toEqual(signatures.slice(0, 5));
  for (const [nth, signature] of signatures.entries())
    expect(reconciler.model.asked[before]?.includes(signature)).toBe(nth < 5);
});

test.each([
  ["cannot be reached", "one", () => refusal(503)],
  ["refuses the key", "two", () => refusal(401)],
  ["answers with no JSON", "three", () => "I would rather not."],
  ["drafts nothing", "four", () => ({ drafts: [] })],
  ["drafts fixes for unknown failures", "five", () => ({ drafts: [{ ...draft, signature: "elsewhere" }] })],
])("a red trunk is reported with a template draft when the model %s", async (_, file, answers) => {
  answer = answers;
  reconciler.commit(failing(file));
  const sweep = await sweepNow();
  expect(sweep.outcome).toBe("red");
  expect(sweep.drafts).toHaveLength(1);
  expect(sweep.drafts[0]).toMatchObject({ signature: sweep.failures[0]?.signature, scope: [] });
  expect(sweep.drafts[0]?.title).toContain("Fix the trunk");
  expect(sweep.drafts[0]?.description).toContain(`src/${file}.js`);
});

test("a red trunk is reported without a model call once the budget is reached, and earlier calls were paid and reported", async () => {
  using budgets = openBudgets(reconciler.connection, {});
  const { spent, reserved } = (await budgets.read(TRUNK_HEALTH)).feature ?? {};
  expect(spent?.tokens).toBeGreaterThan(0);
  expect(reserved).toEqual({ costUsd: 0, tokens: 0 });
  const used = (await reconciler.events()).filter(isEventOf("model.used"));
  expect(used[0]).toMatchObject({
    featureId: TRUNK_HEALTH,
    data: { role: "draft-fixes", backend: new URL(reconciler.model.url).host, tokensIn: 100 },
  });
  const reported = used.reduce(
    (sum, { data }) => sum + Number(data["tokensIn"]) + Number(data["tokensOut"]),
    0,
  );
  expect(reported).toBe(spent?.tokens);

  await budgets.setFeatureCap(TRUNK_HEALTH, { tokens: 1 }, 1);
  const asked = reconciler.model.asked.length;
  reconciler.commit(failing("six"));
  const sweep = await sweepNow();
  expect(sweep).toMatchObject({ outcome: "red", drafts: [{ scope: [] }] });
  expect(reconciler.model.asked).toHaveLength(asked);
});

test("a target with unreadable checks gives a sweep with the outcome error and a reason", async () => {
  const green = reconciler.green();
  reconciler.commit({ "swarm.json": '{"checks": "all of them"}' });
  const sweep = await sweepNow();
  expect(sweep).toMatchObject({ outcome: "error", green, drafts: [] });
  expect(sweep.reason).toContain("swarm.json");
  expect(reconciler.green()).toBe(green);
});
