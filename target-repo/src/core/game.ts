import { World } from "../world/world.ts";
import { Events } from "./events.ts";
import type { Vec3 } from "./math.ts";

/** All state that systems share. Whoever owns a part is free to replace its values, not the part itself. */
export interface Game {
  readonly world: World;
  readonly events: Events;
  /** Where the picture is taken from. Radians; `fov` is vertical. */
  readonly camera: { position: Vec3; yaw: number; pitch: number; fov: number };
  /** `position` is between the feet. */
  readonly player: { position: Vec3; velocity: Vec3; onGround: boolean; flying: boolean };
  readonly input: Input;
  readonly hotbar: { slots: number[]; selected: number };
  /** Block id → how many the player has. */
  readonly inventory: Map<number, number>;
  /** `time` of day from 0 (midnight) to 1; `speed` 1 is the normal course; `daylight` from 0 to 1. */
  readonly sky: { time: number; speed: number; daylight: number; color: Vec3 };
  readonly rules: { canPlace: (id: number) => boolean };
}

/** What the player did since the last frame. */
export interface Input {
  /** `KeyboardEvent.code` of the keys that are down. */
  readonly keys: Set<string>;
  /** Pixels the mouse moved. */
  look: [number, number];
  /** Notches of the wheel; down is positive. */
  wheel: number;
  /** Mouse buttons pressed: 0 left, 2 right. */
  clicks: number[];
}

export function createGame(): Game {
  return {
    world: new World(),
    events: new Events(),
    camera: { position: [8, 34, 8], yaw: 0, pitch: -0.2, fov: 1.2 },
    player: { position: [8.5, 32, 8.5], velocity: [0, 0, 0], onGround: false, flying: false },
    input: { keys: new Set(), look: [0, 0], wheel: 0, clicks: [] },
    hotbar: { slots: [1, 2, 3, 4], selected: 0 },
    inventory: new Map(),
    sky: { time: 0.4, speed: 1, daylight: 1, color: [0.53, 0.75, 0.95] },
    rules: { canPlace: () => true },
  };
}

/** Forgets what was done in the frame that has just ended; keys stay down. */
export function endFrame(input: Input): void {
  input.look = [0, 0];
  input.wheel = 0;
  input.clicks = [];
}
