import { afterAll, beforeAll, expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { openBudgets } from "@agentswarm/queue";
import { refusal, type Answer } from "../../../test/support/scripted-model.ts";
import { git } from "../../../test/support/string-kit.ts";
import { checksAre, startReconciler, type TestReconciler } from "../testing/start-reconciler.ts";

const failing = (...names: string[]) =>
  checksAre(...names.map((name) => `echo "not ok 1 - ${name} in src/${name}.js"; exit 1`));
const wording = { signature: "*", title: "Mend it", description: "Here is how.", scope: [] };

let reconciler: TestReconciler;
let answer: () => Answer = () => ({ drafts: [wording] });
beforeAll(async () => {
  reconciler = await startReconciler(() => answer());
});
afterAll(() => reconciler?.[Symbol.asyncDispose]());

/** What the planner is told when somebody asks for a sweep now. */
async function sweepNow() {
  asked += 1;
  await reconciler.ask(`ask-${asked}`);
  return reconciler.swept(`ask-${asked}`);
}
let asked = 0;

test("green moves to a head that passes every check, and stays where it is when one fails", async () => {
  const good = reconciler.commit(checksAre("true", "test -e README.md"));
  expect(await sweepNow()).toMatchObject({ outcome: "green", head: good, green: good });
  expect(reconciler.green()).toBe(good);

  const bad = reconciler.commit(checksAre("true", 'echo "not ok 1 - sums"; exit 3'));
  const sweep = await sweepNow();
  expect(sweep).toMatchObject({ outcome: "red", head: bad, green: good });
  expect(sweep.checks.map((check) => check.exitCode)).toEqual([0, 3]);
  expect(sweep.failures).toHaveLength(1);
  expect(sweep.failures[0]?.outputTail).toContain("not ok 1 - sums");
  expect(sweep.drafts).toEqual([{ ...wording, signature: sweep.failures[0]?.signature }]);
  expect(reconciler.green()).toBe(good);
  const commits = (await reconciler.events()).filter((event) => event.type === "trunk.green");
  expect(commits.map((event) => event.data["commit"])).not.toContain(bad);
});

test("seven failures are seven signatures, of which at most five are asked about and worded", async () => {
  const drafts = Array.from({ length: 5 }, () => wording);
  answer = () => ({ drafts });
  const before = reconciler.model.asked.length;
  reconciler.commit(failing("a", "b", "c", "d", "e", "f", "g"));
  const sweep = await sweepNow();
  const signatures = sweep.failures.map((failure) => failure.signature);
  expect(new Set(signatures).size).toBe(7);
  expect(sweep.drafts.map((draft) => draft.signature)).toEqual(signatures.slice(0, 5));
  for (const [nth, signature] of signatures.entries())
    expect(reconciler.model.asked[before]?.includes(signature)).toBe(nth < 5);
});

test.each([
  ["cannot be reached", "one", () => refusal(503)],
  ["refuses the key", "two", () => refusal(401)],
  ["answers with no JSON", "three", () => "I would rather not."],
  ["words nothing", "four", () => ({ drafts: [] })],
  [
    "answers for failures that nobody has",
    "five",
    () => ({ drafts: [{ ...wording, signature: "elsewhere" }] }),
  ],
])("a model that %s does not keep the planner from hearing of a red trunk", async (_, file, answers) => {
  answer = answers;
  reconciler.commit(failing(file));
  const sweep = await sweepNow();
  expect(sweep.outcome).toBe("red");
  expect(sweep.drafts).toHaveLength(1);
  expect(sweep.drafts[0]).toMatchObject({ signature: sweep.failures[0]?.signature, scope: [] });
  expect(sweep.drafts[0]?.title).toContain("Mend the trunk");
  expect(sweep.drafts[0]?.description).toContain(`src/${file}.js`);
});

test("without money a red trunk is told all the same, and the model is not asked; calls before were paid for and told", async () => {
  using budgets = openBudgets(reconciler.connection, {});
  const { spent, reserved } = (await budgets.read(TRUNK_HEALTH)).feature ?? {};
  expect(spent?.tokens).toBeGreaterThan(0);
  expect(reserved).toEqual({ costUsd: 0, tokens: 0 });
  const used = (await reconciler.events()).filter(({ type }) => type === "model.used");
  expect(used[0]).toMatchObject({
    featureId: TRUNK_HEALTH,
    data: { role: "draft-fixes", backend: new URL(reconciler.model.url).host, tokensIn: 100 },
  });
  const told = used.reduce((sum, { data }) => sum + Number(data["tokensIn"]) + Number(data["tokensOut"]), 0);
  expect(told).toBe(spent?.tokens);

  await budgets.setFeatureCap(TRUNK_HEALTH, { tokens: 1 }, 1);
  const asked = reconciler.model.asked.length;
  reconciler.commit(failing("six"));
  const sweep = await sweepNow();
  expect(sweep).toMatchObject({ outcome: "red", drafts: [{ scope: [] }] });
  expect(reconciler.model.asked).toHaveLength(asked);
});

test("a target whose checks cannot be told makes a sweep that says so", async () => {
  const green = reconciler.green();
  reconciler.commit({ "swarm.json": '{"checks": "all of them"}' });
  const sweep = await sweepNow();
  expect(sweep).toMatchObject({ outcome: "error", green, drafts: [] });
  expect(sweep.reason).toContain("swarm.json");
  expect(reconciler.green()).toBe(green);
});

test("green does not follow a trunk that was moved back or elsewhere", async () => {
  const first = reconciler.green() ?? "";
  const second = reconciler.commit(checksAre("true"));
  await sweepNow();
  git(reconciler.origin, "update-ref", "refs/heads/main", first);
  expect(await sweepNow()).toMatchObject({ outcome: "green", head: first, green: second });
  const tree = git(reconciler.origin, "rev-parse", `${second}^{tree}`);
  const who = ["-c", "user.name=Kit", "-c", "user.email=kit@example.com"];
  const elsewhere = git(reconciler.origin, ...who, "commit-tree", "-p", first, "-m", "Elsewhere", tree);
  git(reconciler.origin, "update-ref", "refs/heads/main", elsewhere);
  expect(await sweepNow()).toMatchObject({ head: elsewhere, green: second });
  expect(reconciler.green()).toBe(second);
});
