import type { Vec3 } from "./math.ts";

/** What happens in the game, by name. */
export interface GameEvents {
  broken: { id: number; at: Vec3 };
  placed: { id: number; at: Vec3 };
}

type Listener<K extends keyof GameEvents> = (event: GameEvents[K]) => void;

/** Tells listeners what happened, in the order in which they came. */
export class Events {
  #listeners: { [K in keyof GameEvents]: Listener<K>[] } = { broken: [], placed: [] };

  on<K extends keyof GameEvents>(name: K, listener: Listener<K>): void {
    this.#listeners[name].push(listener);
  }

  emit<K extends keyof GameEvents>(name: K, event: GameEvents[K]): void {
    for (const listener of this.#listeners[name]) listener(event);
  }
}
