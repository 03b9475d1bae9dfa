/** How much of a program's output an error message quotes. */
export const ERROR_TAIL_CHARS = 2_000;

/** The end of a text that arrives in pieces. */
export interface Tail {
  add(text: string): void;
  /** The last `maxChars` characters of all that was added. */
  text(): string;
  /** How many characters before those were dropped. */
  dropped(): number;
}

/** Memory is bounded by `maxChars` and the largest piece. */
export function openTail(maxChars: number): Tail {
  let kept = "";
  let dropped = 0;
  return {
    add(text) {
      const all = kept + text;
      kept = all.slice(-maxChars);
      dropped += all.length - kept.length;
    },
    text: () => kept,
    dropped: () => dropped,
  };
}
