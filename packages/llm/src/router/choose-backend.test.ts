import { expect, test } from "vitest";
import { chooseBackend, type BackendSnapshot } from "./choose-backend.ts";
import type { Backend } from "../backends/backend.ts";

type Change = Partial<Omit<BackendSnapshot, "backend">> &
  Partial<Pick<Backend, "priority" | "roles" | "contextTokens">>;

const NOW = 1_000;
function snapshot(
  name: string,
  { priority = 1, roles = null, contextTokens = 100, ...rest }: Change = {},
): BackendSnapshot {
  const backend: Backend = {
    name,
    priority,
    roles,
    contextTokens,
    baseUrl: "",
    apiKey: "",
    model: "",
    prices: { input: 0, output: 0, cached: 0 },
    pricesKnown: true,
    settings: { key: "", model: "", url: "" },
    concurrency: 1,
    jsonSchema: false,
  };
  return { backend, free: 1, load: 0, notBefore: 0, health: { kind: "healthy" }, ...rest };
}
const choose = (
  snapshots: BackendSnapshot[],
  needs: { role?: "work" | "accept"; tokens?: number; tried?: string[] } = {},
) => chooseBackend(snapshots, { role: "work", tokens: 1, ...needs, tried: new Set(needs.tried) }, NOW);

test("the first backend by priority is chosen, of equal ones the least loaded", () => {
  const [second, busy, idle] = [
    snapshot("second", { priority: 2 }),
    snapshot("busy", { load: 0.9 }),
    snapshot("idle", { load: 0.1 }),
  ];
  expect(choose([second, busy, idle])).toEqual({ kind: "go", name: "idle" });
});

test("a backend that is full, paused, down, being probed or already tried is skipped", () => {
  const second = snapshot("second", { priority: 2 });
  for (const change of [
    { free: 0 },
    { notBefore: NOW + 1 },
    { health: { kind: "down", probeAt: NOW + 5 } },
    { health: { kind: "probing" } },
  ] satisfies Change[]) {
    expect(choose([snapshot("first", change), second])).toEqual({ kind: "go", name: "second" });
  }
  expect(choose([snapshot("first"), second], { tried: ["first"] })).toEqual({ kind: "go", name: "second" });
});

test("a backend gets only calls of its roles, small ones included", () => {
  const [work, small] = [snapshot("work", { roles: ["work"] }), snapshot("small", { roles: ["small"] })];
  expect(choose([small, work])).toEqual({ kind: "go", name: "work" });
  expect(choose([small, work], { role: "accept" })).toEqual({ kind: "go", name: "small" });
  expect(choose([small])).toEqual({ kind: "wait", until: null, busy: false });
});

test("a prompt that is too long for one backend goes to one with a longer context", () => {
  const [short, long] = [snapshot("short"), snapshot("long", { priority: 2, contextTokens: 1_000 })];
  expect(choose([short, long], { tokens: 101 })).toEqual({ kind: "go", name: "long" });
  expect(choose([short, long], { tokens: 1_001 })).toEqual({ kind: "go", name: "short" });
});

test("without a free backend the choice says when to look again", () => {
  const full = snapshot("full", { free: 0 });
  const paused = snapshot("paused", { notBefore: NOW + 7 });
  const down = snapshot("down", { health: { kind: "down", probeAt: NOW + 5 } });
  const probed = snapshot("probed", { health: { kind: "probing" } });
  expect(choose([full])).toEqual({ kind: "wait", until: null, busy: true });
  expect(choose([probed])).toEqual({ kind: "wait", until: null, busy: true });
  expect(choose([paused, down])).toEqual({ kind: "wait", until: NOW + 5, busy: false });
  expect(choose([paused, full])).toEqual({ kind: "wait", until: NOW + 7, busy: true });
});
