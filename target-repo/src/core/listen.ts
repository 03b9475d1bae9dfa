import type { Game } from "./game.ts";
import type { Control } from "./system.ts";

/** Turns the browser's events into `game.input` and key presses into controls. */
export function listen(game: Game, controls: readonly Control[], canvas: HTMLCanvasElement): void {
  const { input } = game;
  const captured = () => document.pointerLockElement === canvas;
  addEventListener("keydown", (event) => {
    if (!event.repeat) controls.find(({ key }) => key === event.code)?.press(game);
    input.keys.add(event.code);
    if (event.code === "Space") event.preventDefault();
  });
  addEventListener("keyup", (event) => input.keys.delete(event.code));
  addEventListener("blur", () => input.keys.clear());
  addEventListener("wheel", (event) => (input.wheel += Math.sign(event.deltaY)));
  addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("mousedown", (event) => {
    if (captured()) input.clicks.push(event.button);
    // Refused in a page without focus; the next click asks again.
    else void Promise.resolve(canvas.requestPointerLock()).catch(() => undefined);
  });
  addEventListener("mousemove", (event) => {
    if (captured()) input.look = [input.look[0] + event.movementX, input.look[1] + event.movementY];
  });
}
