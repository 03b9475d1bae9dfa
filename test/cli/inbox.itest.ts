import { afterAll, beforeAll, expect, test } from "vitest";
import { decideByHand, openDecisionEmitter } from "../../services/api/testing/decide-by-hand.ts";
import { LOOKED_AT, makeDecision } from "../../services/api/testing/make-decision.ts";
import { startApi, type TestApi } from "../../services/api/testing/start-api.ts";
import { pendingBodies } from "../support/queue.ts";
import { waitUntil } from "../support/wait-until.ts";
import { runSwarm, startSwarm } from "./run-swarm.ts";

let api: TestApi;
let decisions: ReturnType<typeof openDecisionEmitter>;
beforeAll(async () => {
  api = await startApi();
  decisions = openDecisionEmitter(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const env = () => ({ SWARM_URL: api.url });
const swarm = (...args: string[]) => runSwarm(args, env());

test("inbox lists what people are asked, and decide answers it about the head that it showed", async () => {
  const decision = makeDecision("d-cli", { featureId: "feature-of-cli", taskId: "cli-task" });
  await decisions.shown("decision.asked", decision);
  const [mine, json, other] = await Promise.all([
    swarm("inbox", "--mine"),
    swarm("inbox", "--json"),
    swarm("decide", "d-cli", "approve", "--head", "bbbb"),
  ]);
  expect(mine.stdout).toContain("d-cli  landing   no end  cli-task\n");
  expect(JSON.parse(json.stdout)).toMatchObject({ decisions: [{ id: "d-cli", head: LOOKED_AT }] });
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining(`d-cli is about ${LOOKED_AT}`)]);
  expect(await pendingBodies(api.connection, "plan")).toEqual([]);

  await using _planner = await decideByHand(api.connection, decisions, [decision]);
  const head = LOOKED_AT.slice(0, 12);
  expect(await swarm("decide", "d-cli", "refuse", "--text", "Not so", "--head", head)).toEqual({
    code: 0,
    stdout: `decided: refuse  d-cli at ${LOOKED_AT}\n`,
    stderr: "",
  });
  const [late, shown] = await Promise.all([swarm("decide", "d-cli", "approve"), swarm("decide", "d-cli")]);
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("local answered `refuse`")]);
  expect(shown.stdout).toContain("decided: refuse: Not so");
});

test("inbox --watch shows decisions as they come", async () => {
  const watching = startSwarm(["inbox", "--watch", "--json"], env());
  const shows = (text: string) =>
    waitUntil(`${text} in the inbox`, 20_000, async () => (watching.stdout().includes(text) ? true : null));
  await shows('{"decisions":');
  await decisions.shown("decision.asked", makeDecision("d-watched"));
  await shows("d-watched");
  watching.child.kill();
  await watching.ended;
});
