import assert from "node:assert/strict";
import { test } from "node:test";
import { loadControls } from "./load.ts";

const TAKEN = new Set(["KeyW", "KeyA", "KeyS", "KeyD", "Space", "ShiftLeft", "ShiftRight"]);

test("each key does one thing in the whole game", async () => {
  const owners = new Map<string, string>();
  for (const { file, value } of await loadControls()) {
    const { key } = value;
    assert.ok(!TAKEN.has(key) && !key.startsWith("Digit"), `${key} of ${file} is taken by movement or the hotbar`);
    const owner = owners.get(key);
    assert.equal(owner, undefined, `${key} is claimed by ${owner} and by ${file}`);
    owners.set(key, file);
  }
});
