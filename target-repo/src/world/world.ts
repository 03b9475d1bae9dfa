import { idOf } from "../blocks/registry.ts";

export const CHUNK_SIZE = 16;
export const WORLD_HEIGHT = 64;

/** A column of blocks. `revision` grows whenever its picture may have changed. */
export interface Chunk {
  readonly cx: number;
  readonly cz: number;
  readonly blocks: Uint8Array;
  revision: number;
}

export type Generator = (chunk: Chunk) => void;
export type SetListener = (x: number, y: number, z: number, id: number) => void;

/** Where a block lies in its chunk, by coordinates inside the chunk. */
export function blockIndex(x: number, y: number, z: number): number {
  return (y * CHUNK_SIZE + z) * CHUNK_SIZE + x;
}

/** A plain to stand on until there is terrain. */
function generatePlain({ blocks }: Chunk): void {
  blocks.fill(idOf("stone"), 0, blockIndex(0, 20, 0));
  blocks.fill(idOf("grass"), blockIndex(0, 20, 0), blockIndex(0, 21, 0));
}

/** The blocks of the world. Coordinates are whole numbers; beyond the top and bottom there is air. */
export class World {
  readonly #chunks = new Map<string, Chunk>();
  readonly #listeners: SetListener[] = [];
  #generate: Generator = generatePlain;

  /** Makes chunks another way from now on; what was made before is dropped. */
  useGenerator(generate: Generator): void {
    this.#generate = generate;
    this.#chunks.clear();
  }

  /** The chunk at chunk coordinates, generated when it is first asked for. */
  chunk(cx: number, cz: number): Chunk {
    const key = `${cx},${cz}`;
    let chunk = this.#chunks.get(key);
    if (chunk === undefined) {
      chunk = { cx, cz, blocks: new Uint8Array(CHUNK_SIZE * WORLD_HEIGHT * CHUNK_SIZE), revision: 1 };
      this.#generate(chunk);
      this.#chunks.set(key, chunk);
    }
    return chunk;
  }

  get(x: number, y: number, z: number): number {
    if (y < 0 || y >= WORLD_HEIGHT) return 0;
    return this.chunk(x >> 4, z >> 4).blocks[blockIndex(x & 15, y, z & 15)];
  }

  /** Changes a block and tells the listeners; false when nothing changed. */
  set(x: number, y: number, z: number, id: number): boolean {
    if (y < 0 || y >= WORLD_HEIGHT || this.get(x, y, z) === id) return false;
    this.chunk(x >> 4, z >> 4).blocks[blockIndex(x & 15, y, z & 15)] = id;
    // A block at the edge shows in the neighbour's mesh, too.
    for (const dx of [-1, 0, 1]) {
      for (const dz of [-1, 0, 1]) this.#touch((x + dx) >> 4, (z + dz) >> 4);
    }
    for (const listener of this.#listeners) listener(x, y, z, id);
    return true;
  }

  onSet(listener: SetListener): void {
    this.#listeners.push(listener);
  }

  /** The height of the topmost block that is not air, or -1. */
  surface(x: number, z: number): number {
    let y = WORLD_HEIGHT - 1;
    while (y >= 0 && this.get(x, y, z) === 0) y--;
    return y;
  }

  #touch(cx: number, cz: number): void {
    const chunk = this.#chunks.get(`${cx},${cz}`);
    if (chunk !== undefined) chunk.revision++;
  }
}
