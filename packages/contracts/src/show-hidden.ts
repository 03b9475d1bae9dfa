/**
 * Characters that a terminal or a browser acts on, or that show nothing: control characters but tabs and line ends, marks
 * of direction, invisible spaces and letters, tags, and variation selectors but the one of emoji.
 */
const HIDDEN =
  /\r(?!\n)|(?![\t\n\r])\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\u034f|[\u115f\u1160\u3164\uffa0]|[\u17b4\u17b5]|[\u180b-\u180d]|[\ufe00-\ufe0e]|[\u{e0000}-\u{e0fff}]/gu;

/** Untrusted text in which people see every character: hidden ones are written as `\u{…}`. */
export function showHidden(text: string): string {
  return text.replaceAll(HIDDEN, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
