import { expect, test } from "vitest";
import { formatProgress } from "./progress.ts";

const status = {
  agents: { live: 0, attempts: {} },
  landings: { total: 0, lastHour: 0 },
  trunk: null,
  green: null,
  cost: { usd: 0, tokens: 0 },
};
const counts = { total: 2, ready: 0, underWay: 0, landed: 1, failed: 0, held: 0 };
const lineOf = (state: "building" | "failed" | "done", reason: string | null) =>
  formatProgress([{ id: "feature-1", title: "One", status: state, reason, counts }], status);

test("a feature that cannot continue shows the reason, any other does not", () => {
  const why = "waiting: FEATURE_BUDGET_USD=5 is used up (5.02)";
  expect(lineOf("building", why)).toMatch(
    /^… feature-1 {2}One .* building +1\/2\n {4}waiting: FEATURE_BUDGET/,
  );
  expect(lineOf("failed", "no idea\nat all")).toContain("\n    no idea … at all\n");
  expect(lineOf("building", "retried by ada")).not.toContain("ada");
  expect(lineOf("done", "It is all there.")).not.toContain("all there");
});

test("what the swarm waits for is shown once and whole, and with each feature that waits", () => {
  const reason = `swarm.json is not JSON: ${"x".repeat(100)}; correct it on the trunk`;
  const waiting = { reason, source: "operator", service: "dispatcher", since: 1 } as const;
  const feature = {
    id: "feature-1",
    title: "One",
    status: "building",
    reason: null,
    counts,
    waiting,
  } as const;
  const lines = formatProgress([feature, feature], { ...status, waiting: [{ ...waiting, waits: 2 }] }).split(
    "\n",
  );
  expect(lines).toHaveLength(6);
  expect(lines[1]).toMatch(/^ {4}waiting: swarm.json is not JSON.*…x+; correct it on the trunk$/);
  expect(lines[4]).toBe(`! 2 waiting (dispatcher): ${reason}`);
});

test("what is paused is shown once, with who and why; a feature's own pause shows with the feature", () => {
  const pause = { by: "ada", via: "cli", why: "an incident", at: 1 } as const;
  const paused = [
    { scope: { kind: "swarm" }, pause },
    { scope: { kind: "landings", repoId: "main" }, pause },
    { scope: { kind: "feature", featureId: "feature-1" }, pause },
  ] as const;
  const landings = "landings on main are paused by ada: an incident (swarm resume --landings)";
  const waiting = { reason: landings, source: "operator", service: "merger", since: 1, waits: 3 } as const;
  const lines = formatProgress([], { ...status, paused: [...paused], waiting: [waiting] }).split("\n");
  expect(lines.slice(0, -1)).toEqual([
    "! the swarm is paused by ada: an incident (swarm resume)",
    `! 3 waiting (merger): ${landings}`,
  ]);
});

test("a notice about the trunk is shown once, also when tasks wait for it", () => {
  const reason = "the trunk's own check `npm test` fails here before any change";
  const waiting = { reason, source: "operator", service: "dispatcher", since: 1, waits: 1 } as const;
  const notices = [reason, "nothing is checked"].map((notice) => ({ repoId: "main", notice }));
  const lines = formatProgress([], { ...status, waiting: [waiting], notices }).split("\n");
  expect(lines.slice(0, -1)).toEqual([`! 1 waiting (dispatcher): ${reason}`, "! nothing is checked"]);
});
