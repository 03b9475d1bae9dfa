import { createGame, endFrame } from "./core/game.ts";
import { listen } from "./core/listen.ts";
import { multiply, perspective, viewFrom } from "./core/math.ts";
import { inOrder, step, type Control, type Page, type System } from "./core/system.ts";

const systemFiles = import.meta.glob<{ system: System }>(["./systems/*.ts", "!./systems/*.test.ts"], { eager: true });
const controlFiles = import.meta.glob<{ control: Control }>(["./controls/*.ts", "!./controls/*.test.ts"], {
  eager: true,
});

function openPage(): Page {
  const canvas = document.querySelector<HTMLCanvasElement>("#view");
  const overlay = document.querySelector<HTMLElement>("#overlay");
  const gl = canvas?.getContext("webgl2", { antialias: true });
  if (!canvas || !overlay || !gl) throw new Error("VoxelCraft needs a browser with WebGL2");
  return { canvas, overlay, gl };
}

const game = createGame();
const page = openPage();
const systems = inOrder(Object.values(systemFiles).map(({ system }) => system));
listen(game, Object.values(controlFiles).map(({ control }) => control), page.canvas);
for (const system of systems) system.start?.(game, page);

function draw(): void {
  const { canvas, gl } = page;
  const [width, height] = [innerWidth * devicePixelRatio, innerHeight * devicePixelRatio].map(Math.round);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const { position, yaw, pitch, fov } = game.camera;
  const viewProjection = multiply(perspective(fov, width / height, 0.05, 400), viewFrom(position, yaw, pitch));
  gl.viewport(0, 0, width, height);
  gl.clearColor(...game.sky.color, 1);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.enable(gl.DEPTH_TEST);
  for (const system of systems) system.render?.(game, { gl, viewProjection, width, height });
}

let last = performance.now();
function frame(now: number): void {
  step(game, systems, (now - last) / 1000);
  last = now;
  draw();
  endFrame(game.input);
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
