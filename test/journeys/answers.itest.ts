import { expect, test } from "vitest";
import type { Decision, DecisionPage } from "@agentswarm/contracts";
import { planned, startPlanner } from "../../services/planner/testing/start-planner.ts";
import { freePort } from "../support/free-port.ts";
import { startService, type RunningService } from "../support/service.ts";
import { waitUntil } from "../support/wait-until.ts";

const APIS = 2;
const ANSWERS = 50;

/** Api processes on a planner's Redis, with one folder. */
async function startApis({ redis, service }: Awaited<ReturnType<typeof startPlanner>>, home: string) {
  const services: RunningService[] = [];
  const urls: string[] = [];
  for (let nth = 0; nth < APIS; nth += 1) {
    const port = String(await freePort());
    const env = { REDIS_URL: redis.url, QUEUE_PREFIX: redis.prefix, SWARM_HOME: home, API_PORT: port };
    services.push(startService("api", env));
    urls.push(`http://127.0.0.1:${port}`);
  }
  await Promise.all(services.map((one) => one.says("answering")));
  const openPlan = (unlike?: string) =>
    waitUntil(
      "a plan that waits for an approval",
      30_000,
      async () => {
        const { decisions } = (await (
          await fetch(`${urls[0]}/v1/decisions?kind=plan`)
        ).json()) as DecisionPage;
        return decisions.find(({ id }) => id !== unlike) ?? null;
      },
      () => service.output(),
    );
  return {
    openPlan,
    async answer({ id, head }: Pick<Decision, "id" | "head">, body: object, nth = 0) {
      const answered = await fetch(`${urls[nth % APIS]}/v1/decisions/${id}/answer`, {
        method: "POST",
        headers: { "content-type": "application/json", "if-match": `"${head}"` },
        body: JSON.stringify(body),
      });
      const { detail, type } = (await answered.json()) as { detail?: string; type?: string };
      return { status: answered.status, detail, type };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(services.map((one) => one.stop()));
    },
  };
}

test("a plan that was refused is made again; a late answer about it decides nothing, and of 50 about the new one, one counts (G1)", async () => {
  await using planner = await startPlanner(
    (nth) => ({ tasks: [planned(nth === 0 ? "first" : `again-${nth}`)] }),
    { PLAN_APPROVAL_FROM_TASKS: "1" },
  );
  await using apis = await startApis(planner, `${planner.origin}-api`);
  await planner.submit();
  const first = await apis.openPlan();
  expect(await apis.answer(first, { option: "refuse", text: "Smaller" })).toMatchObject({ status: 200 });
  const second = await apis.openPlan(first.id);
  expect(second.head).not.toBe(first.head);
  // What the person looked at is gone: by the old decision's id, and by the new one's id with the old head.
  expect(await apis.answer(first, { option: "approve" })).toMatchObject({
    status: 409,
    detail: expect.stringMatching(/^local answered `refuse` \d+ s earlier$/),
  });
  expect(await apis.answer({ id: second.id, head: first.head }, { option: "approve" })).toMatchObject({
    status: 412,
  });
  expect((await planner.sent()).size).toBe(0);

  const answers = await Promise.all(
    Array.from({ length: ANSWERS }, (_, nth) => apis.answer(second, { option: "approve" }, nth)),
  );
  const lost = answers.filter(({ status }) => status !== 200);
  expect(lost).toHaveLength(ANSWERS - 1);
  for (const one of lost)
    expect(one).toMatchObject({
      status: 409,
      detail: expect.stringMatching(/^local answered `approve` \d+ s earlier$/),
    });
  await planner.ledger(second.featureId, ({ status }) => status === "building");
});
