/** What the game knows about a kind of block. */
export interface BlockType {
  readonly id: number;
  readonly name: string;
  /** Red, green and blue from 0 to 1. */
  readonly color: readonly [number, number, number];
  /** The player cannot enter it. */
  readonly solid: boolean;
  /** Nothing is seen through it, so that faces behind it need no mesh. */
  readonly opaque: boolean;
  /** Light of its own from 0 to 1, for the night. */
  readonly glow?: number;
}

/** Every kind of block. An id never changes, because saved worlds hold it. */
export const BLOCKS: readonly BlockType[] = [
  { id: 0, name: "air", color: [0, 0, 0], solid: false, opaque: false },
  { id: 1, name: "stone", color: [0.5, 0.5, 0.52], solid: true, opaque: true },
  { id: 2, name: "dirt", color: [0.48, 0.34, 0.22], solid: true, opaque: true },
  { id: 3, name: "grass", color: [0.36, 0.62, 0.24], solid: true, opaque: true },
  { id: 4, name: "log", color: [0.42, 0.3, 0.17], solid: true, opaque: true },
];

const BY_ID: readonly BlockType[] = Array.from(
  { length: 256 },
  (_, id) => BLOCKS.find((block) => block.id === id) ?? BLOCKS[0],
);

/** The kind with this id; ids nobody has entered are air. */
export function blockOf(id: number): BlockType {
  return BY_ID[id] ?? BLOCKS[0];
}

/** The id of the kind with this name. Throws when there is none. */
export function idOf(name: string): number {
  const found = BLOCKS.find((block) => block.name === name);
  if (found === undefined) throw new Error(`no block is called ${name}`);
  return found.id;
}
