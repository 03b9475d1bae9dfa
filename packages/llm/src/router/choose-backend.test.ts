import { expect, test } from "vitest";
import { chooseBackend, type Standing } from "./choose-backend.ts";
import type { Backend } from "../backends/backend.ts";

type Change = Partial<Omit<Standing, "backend">> &
  Partial<Pick<Backend, "priority" | "roles" | "contextTokens">>;

const NOW = 1_000;
function standing(
  name: string,
  { priority = 1, roles = null, contextTokens = 100, ...rest }: Change = {},
): Standing {
  const backend: Backend = {
    name,
    priority,
    roles,
    contextTokens,
    baseUrl: "",
    apiKey: "",
    model: "",
    prices: { input: 0, output: 0, cached: 0 },
    concurrency: 1,
    jsonSchema: false,
  };
  return { backend, free: 1, load: 0, notBefore: 0, health: { kind: "well" }, ...rest };
}
const choose = (
  standings: Standing[],
  wish: { role?: "work" | "accept"; tokens?: number; tried?: string[] } = {},
) => chooseBackend(standings, { role: "work", tokens: 1, ...wish, tried: new Set(wish.tried) }, NOW);

test("the first by priority is taken; of equal ones that with most room", () => {
  const [second, busy, idle] = [
    standing("second", { priority: 2 }),
    standing("busy", { load: 0.9 }),
    standing("idle", { load: 0.1 }),
  ];
  expect(choose([second, busy, idle])).toEqual({ kind: "go", name: "idle" });
});

test("one that is full, paused, down, being probed or tried already is passed over", () => {
  const second = standing("second", { priority: 2 });
  for (const change of [
    { free: 0 },
    { notBefore: NOW + 1 },
    { health: { kind: "down", probeAt: NOW + 5 } },
    { health: { kind: "probing" } },
  ] satisfies Change[]) {
    expect(choose([standing("first", change), second])).toEqual({ kind: "go", name: "second" });
  }
  expect(choose([standing("first"), second], { tried: ["first"] })).toEqual({ kind: "go", name: "second" });
});

test("roles are kept to; small ones may take what needs little", () => {
  const [work, small] = [standing("work", { roles: ["work"] }), standing("small", { roles: ["small"] })];
  expect(choose([small, work])).toEqual({ kind: "go", name: "work" });
  expect(choose([small, work], { role: "accept" })).toEqual({ kind: "go", name: "small" });
  expect(choose([small])).toEqual({ kind: "wait", until: null, busy: false });
});

test("what is too long for one goes to a longer one; what is too long for all goes where it is refused", () => {
  const [short, long] = [standing("short"), standing("long", { priority: 2, contextTokens: 1_000 })];
  expect(choose([short, long], { tokens: 101 })).toEqual({ kind: "go", name: "long" });
  expect(choose([short, long], { tokens: 1_001 })).toEqual({ kind: "go", name: "short" });
});

test("when none can take it, it is known what is waited for", () => {
  const full = standing("full", { free: 0 });
  const paused = standing("paused", { notBefore: NOW + 7 });
  const down = standing("down", { health: { kind: "down", probeAt: NOW + 5 } });
  const probed = standing("probed", { health: { kind: "probing" } });
  expect(choose([full])).toEqual({ kind: "wait", until: null, busy: true });
  expect(choose([probed])).toEqual({ kind: "wait", until: null, busy: true });
  expect(choose([paused, down])).toEqual({ kind: "wait", until: NOW + 5, busy: false });
  expect(choose([paused, full])).toEqual({ kind: "wait", until: NOW + 7, busy: true });
});
