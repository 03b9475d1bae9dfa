import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCKS } from "../src/blocks/registry.ts";
import { createGame } from "../src/core/game.ts";

test("no two blocks share an id or a name, and ids fit in a byte", () => {
  assert.equal(new Set(BLOCKS.map(({ id }) => id)).size, BLOCKS.length);
  assert.equal(new Set(BLOCKS.map(({ name }) => name)).size, BLOCKS.length);
  for (const { id, name } of BLOCKS) assert.ok(id >= 0 && id <= 255, `${name} has id ${id}`);
});

test("what the player starts with exists", () => {
  const ids = new Set(BLOCKS.map(({ id }) => id));
  for (const id of createGame().hotbar.slots) assert.ok(ids.has(id), `hotbar: no block has id ${id}`);
});
