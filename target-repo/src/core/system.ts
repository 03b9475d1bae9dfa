import type { Game } from "./game.ts";
import type { Mat4 } from "./math.ts";

/** The browser's side of the game. */
export interface Page {
  readonly canvas: HTMLCanvasElement;
  /** Lies over the canvas; takes no clicks unless an element asks for them. */
  readonly overlay: HTMLElement;
  readonly gl: WebGL2RenderingContext;
}

/** What a picture is drawn with. */
export interface View {
  readonly gl: WebGL2RenderingContext;
  readonly viewProjection: Mat4;
  readonly width: number;
  readonly height: number;
}

/** Something that runs each frame; a file in `src/systems/` exports it as `system`. */
export interface System {
  readonly name: string;
  /** Lower is sooner: 0–9 world, 10–29 player, 30–49 rules, 50–69 picture, 70–99 what lies over it. */
  readonly order: number;
  /** Called once. `page` is null when there is no browser. */
  start?(game: Game, page: Page | null): void;
  update?(game: Game, seconds: number): void;
  render?(game: Game, view: View): void;
}

/** What a key does when it goes down; a file in `src/controls/` exports it as `control`. */
export interface Control {
  readonly name: string;
  /** A `KeyboardEvent.code`, such as `KeyE`. */
  readonly key: string;
  press(game: Game): void;
}

/** The longest step a system is asked to take, so that a stalled tab does not throw the player through a wall. */
export const LONGEST_STEP_SECONDS = 0.1;

export function inOrder(systems: readonly System[]): System[] {
  return [...systems].sort((a, b) => a.order - b.order || a.name.localeCompare(b.name));
}

/** One step of everything. */
export function step(game: Game, systems: readonly System[], seconds: number): void {
  const taken = Math.min(seconds, LONGEST_STEP_SECONDS);
  for (const system of systems) system.update?.(game, taken);
}
