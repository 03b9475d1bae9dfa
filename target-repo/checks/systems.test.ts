import assert from "node:assert/strict";
import { test } from "node:test";
import { createGame, endFrame } from "../src/core/game.ts";
import { inOrder, step } from "../src/core/system.ts";
import { loadControls, loadSystems } from "./load.ts";

test("systems are named by their files", async () => {
  for (const { file, value } of await loadSystems()) assert.equal(`src/systems/${value.name}.ts`, file);
});

test("ten seconds of play without a browser leave a sound game", async () => {
  const game = createGame();
  const systems = inOrder((await loadSystems()).map(({ value }) => value));
  for (const system of systems) system.start?.(game, null);
  for (let frame = 0; frame < 600; frame++) {
    if (frame === 60) game.input.keys.add("KeyW");
    if (frame === 200) game.input.keys.add("Space");
    game.input.look = [3, 1];
    if (frame % 50 === 0) game.input.clicks.push(frame % 100 === 0 ? 0 : 2);
    step(game, systems, 1 / 60);
    endFrame(game.input);
  }
  const { player, camera, sky } = game;
  for (const value of [...player.position, ...camera.position, camera.yaw, camera.pitch, sky.time]) {
    assert.ok(Number.isFinite(value), "a figure of the game is no number");
  }
  assert.ok(player.position[1] > 0, "the player fell out of the world");
  assert.ok(sky.daylight >= 0 && sky.daylight <= 1);
  for (const [id, count] of game.inventory) assert.ok(count >= 0, `${count} blocks of id ${id}`);
});

test("every control can be pressed twice", async () => {
  const game = createGame();
  for (const { value } of await loadControls()) {
    value.press(game);
    value.press(game);
  }
});
