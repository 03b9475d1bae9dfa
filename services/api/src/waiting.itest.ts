import {
  DEFAULT_REPO,
  Fault,
  type FeatureDetail,
  type SwarmStatus,
  type TaskDetail,
} from "@agentswarm/contracts";
import { createSender, openTrunkStates, openWaiting } from "@agentswarm/queue";
import { expect, test } from "vitest";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { startApi } from "../testing/start-api.ts";

const about = { repoId: DEFAULT_REPO, featureId: "feature-1", taskId: "task-1" };

test("status, feature and task show why work waits until it goes on, and what a person should know of the trunk", async () => {
  await using api = await startApi();
  const read = async <T>(path: string) => (await (await api.ask(path)).json()) as T;
  const sender = createSender(api.connection, "planner");
  const { taskId: _, ...feature } = about;
  await sender.event({
    id: "submitted",
    type: "feature.submitted",
    ...feature,
    data: {
      id: "feature-1",
      repoId: DEFAULT_REPO,
      title: "One",
      description: "",
      acceptance: [],
      priority: 5,
      source: "rest",
      createdAt: 1,
    },
  });
  await sender.event({
    id: "planned",
    type: "task.planned",
    ...about,
    data: {
      id: "task-1",
      repoId: DEFAULT_REPO,
      featureId: "feature-1",
      featureSlug: "one",
      key: "a",
      kind: "build",
      title: "One",
      description: "",
      scope: [],
      acceptance: [],
      checks: [],
      dependsOn: [],
      priority: 5,
      limits: { turns: 1, tokens: 1, costUsd: 1, wallMs: 1, idleMs: 1 },
      attemptBudget: 3,
      feedback: "",
    },
  });
  await waitUntil("the task", 20_000, async () => ((await api.ask("/v1/tasks/task-1")).ok ? true : null));

  const waiting = openWaiting(api.connection);
  const fault = new Fault("target.invalid", "swarm.json is not JSON");
  for (let times = 0; times < 2; times += 1) await waiting.note(about, fault);
  const state = { head: "a".repeat(40), hold: null, unchecked: "nothing is checked" };
  await openTrunkStates(api.connection).note(DEFAULT_REPO, state);
  const shown = { reason: fault.message, source: "operator", service: "test" };
  expect(await read<FeatureDetail>("/v1/features/feature-1")).toMatchObject({
    waiting: shown,
    notice: "nothing is checked",
    tasks: [{ id: "task-1", waiting: shown }],
  });
  expect(await read<TaskDetail>("/v1/tasks/task-1")).toMatchObject({ waiting: shown });
  expect(await read("/v1/features")).toMatchObject({ features: [{ waiting: shown }] });
  expect(await read<SwarmStatus>("/v1/status")).toMatchObject({
    waiting: [{ ...shown, waits: 1 }],
    notices: [{ repoId: DEFAULT_REPO, notice: "nothing is checked" }],
  });

  await waiting.clear(about);
  expect(await read("/v1/features/feature-1")).toMatchObject({ waiting: null, tasks: [{ waiting: null }] });
  expect(await read("/v1/status")).toMatchObject({ waiting: [] });
});
