import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

test("what is set is found again, on both sides of zero", () => {
  const world = new World();
  for (const [x, z] of [[0, 0], [15, 16], [-1, -17]]) {
    assert.ok(world.set(x, 40, z, 1));
    assert.equal(world.get(x, 40, z), 1);
    assert.equal(world.surface(x, z), 40);
  }
  assert.equal(world.set(0, 64, 0, 1), false);
});

test("a change at the edge touches the neighbour's chunk", () => {
  const world = new World();
  const before = world.chunk(1, 0).revision;
  world.set(3, 30, 3, 1);
  assert.equal(world.chunk(1, 0).revision, before);
  world.set(15, 30, 3, 1);
  assert.ok(world.chunk(1, 0).revision > before);
});

test("listeners hear of changes, not of what stays the same", () => {
  const world = new World();
  const heard: number[][] = [];
  world.onSet((...change) => heard.push(change));
  world.set(1, 30, 2, 4);
  world.set(1, 30, 2, 4);
  assert.deepEqual(heard, [[1, 30, 2, 4]]);
});
