import assert from "node:assert/strict";
import { test } from "node:test";
import { blockOf, idOf } from "./registry.ts";

test("blocks are found by id and by name", () => {
  assert.equal(blockOf(idOf("stone")).name, "stone");
  assert.equal(blockOf(0).solid, false);
});

test("an unknown id is air, an unknown name is a mistake", () => {
  assert.equal(blockOf(255).name, "air");
  assert.throws(() => idOf("cheese"), /cheese/);
});
