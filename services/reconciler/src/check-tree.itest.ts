import { afterAll, beforeAll, expect, test } from "vitest";
import { git } from "../../../test/support/string-kit.ts";
import { startReconciler, type TestReconciler } from "../testing/start-reconciler.ts";

const draft = { signature: "*", title: "Fix it", description: "", scope: [] };

let reconciler: TestReconciler;
beforeAll(async () => {
  reconciler = await startReconciler(() => ({ drafts: [draft] }));
});
afterAll(() => reconciler?.[Symbol.asyncDispose]());

/** Requests a sweep and returns its new job id. */
async function ask(why?: "manual"): Promise<string> {
  asked += 1;
  await reconciler.ask(`ask-${asked}`, why);
  return `ask-${asked}`;
}
let asked = 0;

test("a tree that passed is not checked again, even under another commit", async () => {
  const first = reconciler.commit(reconciler.waitingCheck());
  const one = await ask();
  (await reconciler.nextCheck()).pass();
  expect(await reconciler.swept(one)).toMatchObject({ outcome: "green", green: first });
  // If the check ran again it would block these sweeps, because the test does not end it.
  expect(await reconciler.swept(await ask("manual"))).toMatchObject({ outcome: "green", green: first });
  const second = reconciler.commit({});
  expect(await reconciler.swept(await ask())).toMatchObject({ outcome: "green", green: second });
  expect(reconciler.green()).toBe(second);
});

// Fault 26: a trunk that is red by a flaky test, or by a conflict of meaning.
test("a check that fails once and then passes on the same tree is flaky, not red", async () => {
  const head = reconciler.commit(reconciler.waitingCheck());
  const one = await ask();
  (await reconciler.nextCheck()).fail();
  (await reconciler.nextCheck()).pass();
  expect(await reconciler.swept(one)).toMatchObject({ outcome: "green", green: head, drafts: [] });
  expect(reconciler.service.output()).toContain("flaky: red, then green");
  expect(reconciler.model.asked).toEqual([]);
});

test("a red tree is checked again on a new request, and the model drafts its fixes once", async () => {
  const green = reconciler.green();
  const head = reconciler.commit(reconciler.waitingCheck());
  const before = reconciler.model.asked.length;
  for (let times = 0; times < 2; times += 1) {
    const jobId = await ask();
    (await reconciler.nextCheck()).fail();
    (await reconciler.nextCheck()).fail();
    const sweep = await reconciler.swept(jobId);
    expect(sweep).toMatchObject({ outcome: "red", head, green });
    expect(sweep.drafts.map((one) => one.title)).toEqual(["Fix it"]);
  }
  expect(reconciler.model.asked).toHaveLength(before + 1);
  const last = await ask();
  (await reconciler.nextCheck()).pass();
  expect(await reconciler.swept(last)).toMatchObject({ outcome: "green", green: head });
});

test("requests that arrive during a check are answered by that check", async () => {
  const head = reconciler.commit(reconciler.waitingCheck());
  const before = reconciler.model.asked.length;
  const asks = [await ask()];
  const check = await reconciler.nextCheck();
  for (let nudges = 0; nudges < 5; nudges += 1) asks.push(await ask());
  check.fail();
  (await reconciler.nextCheck()).fail();
  for (const one of asks) expect(await reconciler.swept(one)).toMatchObject({ outcome: "red", head });
  expect(await reconciler.checksAlive()).toEqual([]);
  expect(reconciler.model.asked).toHaveLength(before + 1);
});

test("a landing during a sweep is left to the next sweep", async () => {
  const first = reconciler.commit(reconciler.waitingCheck());
  const one = await ask();
  const check = await reconciler.nextCheck();
  const second = reconciler.commit({ "docs.md": "More.\n" });
  check.pass();
  expect(await reconciler.swept(one)).toMatchObject({ head: first, green: first });
  const two = await ask();
  const next = await reconciler.nextCheck();
  expect(reconciler.green()).toBe(first);
  next.pass();
  expect(await reconciler.swept(two)).toMatchObject({ head: second, green: second });
});

test("a move of green by others during a sweep stands", async () => {
  const head = reconciler.commit(reconciler.waitingCheck());
  const one = await ask();
  const check = await reconciler.nextCheck();
  const later = reconciler.commit({ "docs.md": "Even more.\n" });
  git(reconciler.origin, "update-ref", "refs/heads/green", later);
  check.pass();
  expect(await reconciler.swept(one)).toMatchObject({ outcome: "green", head, green: later });
  expect(reconciler.green()).toBe(later);
});
