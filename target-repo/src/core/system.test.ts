import assert from "node:assert/strict";
import { test } from "node:test";
import { createGame, endFrame } from "./game.ts";
import { inOrder, step, type System } from "./system.ts";

test("systems run by their order, then by name", () => {
  const named = (name: string, order: number): System => ({ name, order });
  const sorted = inOrder([named("b", 5), named("z", 1), named("a", 5)]);
  assert.deepEqual(sorted.map(({ name }) => name), ["z", "a", "b"]);
});

test("a stalled frame is cut to the longest step", () => {
  const seen: number[] = [];
  const system: System = { name: "meter", order: 0, update: (_game, seconds) => seen.push(seconds) };
  step(createGame(), [system], 5);
  step(createGame(), [system], 0.016);
  assert.deepEqual(seen, [0.1, 0.016]);
});

test("after a frame clicks are forgotten and keys are not", () => {
  const { input } = createGame();
  input.keys.add("KeyW");
  input.clicks.push(0);
  endFrame(input);
  assert.deepEqual(input.clicks, []);
  assert.ok(input.keys.has("KeyW"));
});
