import { expect, test } from "vitest";
import type { DomainEvent } from "@agentswarm/contracts";
import { seededRandom, shuffled } from "../../../../test/support/seeded-random.ts";
import { makeEvents, PRICE_USD } from "../../testing/make-events.ts";
import { liveAttempt } from "./live-attempt.ts";
import {
  documentsOf,
  projectBatch,
  type IndexChange,
  type Loaded,
  type LoadedViews,
} from "./project-batch.ts";
import type { DocumentKind } from "./view-keys.ts";

type Documents = Record<DocumentKind, Map<string, Loaded<never>>>;
const KINDS: readonly DocumentKind[] = ["features", "tasks", "decisions", "notes", "repos", "swarm", "early"];

/** Takes the batches in as the store does, in memory. */
function takeIn(batches: readonly (readonly DomainEvent[])[], before?: Documents) {
  const stored =
    before ?? (Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as unknown as Documents);
  const indexes: IndexChange[] = [];
  const errors: unknown[] = [];
  for (const batch of batches) {
    for (const event of batch) expect(Object.keys(documentsOf(event)).toSorted()).toEqual(KINDS.toSorted());
    const changes = projectBatch(stored as unknown as LoadedViews, batch, (error) => errors.push(error));
    for (const { kind, id, version, value } of changes.documents) {
      if (value === null) stored[kind].delete(id);
      else stored[kind].set(id, { value: value as never, version: version + 1 });
    }
    indexes.push(...changes.indexes);
  }
  const valuesOf = (kind: DocumentKind) =>
    Object.fromEntries([...stored[kind]].map(([id, { value }]) => [id, value as unknown]));
  return {
    features: valuesOf("features"),
    tasks: valuesOf("tasks"),
    early: valuesOf("early"),
    indexes,
    errors,
  };
}

/** The members of each status's index after the changes. */
function statusesAfter(indexes: readonly IndexChange[]): Record<string, string> {
  const statuses: Record<string, string> = {};
  for (const change of indexes) {
    if (change.kind !== "feature") continue;
    expect(change.from).toBe(statuses[change.id] ?? null);
    statuses[change.id] = change.to ?? "removed";
  }
  return statuses;
}

test("events make the same features and tasks in any order and in any batches", () => {
  const events = [...makeEvents("feature-a", 4), ...makeEvents("feature-b", 3)];
  const inOrder = takeIn([events]);
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seededRandom(seed);
    const mixed = shuffled(events, random);
    const size = 1 + Math.floor(random() * 20);
    const batches = Array.from({ length: Math.ceil(events.length / size) }, (_, nth) =>
      mixed.slice(nth * size, (nth + 1) * size),
    );
    const { features, tasks, early, indexes } = takeIn(batches);
    expect({ seed, features, tasks, early }).toEqual({
      seed,
      early: {},
      features: inOrder.features,
      tasks: inOrder.tasks,
    });
    expect(statusesAfter(indexes)).toEqual({ "feature-a": "done", "feature-b": "done" });
  }
});

test("an event that cannot be projected is reported, and the others of its batch are taken in", () => {
  const events = makeEvents("feature-a", 1);
  const broken = { ...events[4], id: "broken", data: null } as unknown as DomainEvent;
  const { features, errors } = takeIn([[...events.slice(0, 3), broken, ...events.slice(3)]]);
  expect(errors).toHaveLength(1);
  expect(features["feature-a"]).toMatchObject({
    status: "done",
    costs: { work: { b: { usd: 2 * PRICE_USD } } },
  });
});

test("a view that cannot be read is left as it is, and other views change", () => {
  const events = makeEvents("feature-a", 1);
  const views = takeIn([events.slice(0, 3)]);
  const stored = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as unknown as Documents;
  for (const [id, value] of Object.entries(views.tasks))
    stored.tasks.set(id, { value: value as never, version: 1 });
  stored.features.set("feature-a", { value: null, version: 7, unreadable: true });
  const changes = projectBatch(stored as unknown as LoadedViews, events.slice(3), (error) => {
    throw error;
  });
  expect(changes.documents.map(({ kind }) => kind)).toContain("tasks");
  expect(changes.documents.map(({ kind }) => kind)).not.toContain("features");
  expect(changes.documents.map(({ kind }) => kind)).not.toContain("early");
});

const started = (attempt: number, round: number, at: number) => ({
  id: `started-${attempt}`,
  at,
  actor: "test",
  type: "attempt.started",
  repoId: "main",
  featureId: "feature-a",
  taskId: "feature-a-t0",
  attempt,
  data: {
    provider: "p",
    sandboxId: "s",
    baseCommit: "a".repeat(40),
    round,
  },
});

test("an attempt that never reported its end is no live one once the next starts, or its task ends", () => {
  const planned = makeEvents("feature-a", 1).slice(0, 4);
  const lives = (indexes: readonly IndexChange[]) =>
    indexes.flatMap((change) => (change.kind === "live" ? [change.attempt] : []));
  const again = [started(1, 1, 10), started(2, 1, 20)] as DomainEvent[];
  expect(lives(takeIn([planned, ...again.map((event) => [event])]).indexes)).toEqual([1, 2]);
  const ended = makeEvents("feature-a", 1).filter(({ id }) => id.startsWith("done-"));
  expect(lives(takeIn([planned, again.slice(0, 1), ended]).indexes)).toEqual([1, null]);
  expect(liveAttempt(null)).toBeNull();
});

test("of two apis that take a task's first event and a later one at once, the slower one must read again", () => {
  const [submitted, , planned, sent] = makeEvents("feature-a", 1);
  const store = () => {
    const empty = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as unknown as Documents;
    takeIn([[submitted!]], empty);
    return empty;
  };
  const project = (stored: Documents, event: DomainEvent) =>
    projectBatch(stored as unknown as LoadedViews, [event], (error) => {
      throw error;
    }).documents.flatMap(({ kind, id, version }) =>
      id.endsWith("t0") ? [`${kind}/${id} was ${version}`] : [],
    );
  const both = ["early/task/feature-a-t0 was 0", "tasks/feature-a-t0 was 0"];
  expect(project(store(), planned!).toSorted()).toEqual(both);
  expect(project(store(), sent!).toSorted()).toEqual(both);
});
