/** A text and the lines of the file that it comes from, counted from 1. */
export interface LinedText {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

// Patterns have bounded repetitions: an unbounded one over a large token overflows the stack.
/** Encodings within encodings that are followed. */
const DEPTH = 2;
const BASE64 = /[A-Za-z0-9+/_-]{16,65536}={0,2}/g;
const HEX = /[0-9a-f]{16,65536}/gi;
const ESCAPED = /\\x([0-9a-f]{2})|\\u00([0-9a-f]{2})|%([0-9a-f]{2})/gi;
/** A line of wrapped base64, whatever quotes or comment marks are around it. */
const WRAPPED = /^[^A-Za-z0-9+/=]*([A-Za-z0-9+/]{20,1000}={0,2})[^A-Za-z0-9+/=]*$/;
/** Text that is not mostly readable was not encoded text. */
const READABLE = /^[\t\n\r\u0020-\u007e]{8,}$/;

/**
 * The texts that `lines` hold in common encodings: base64 and hex of whole tokens, base64 wrapped over lines, escapes
 * (`\x41`, `\u0041`, `%41`) and line breaks written as `\n`, also one within another.
 */
export function decodeTexts(lines: readonly LinedText[]): readonly LinedText[] {
  let found: readonly LinedText[] = [];
  let layer = lines;
  for (let depth = 0; depth < DEPTH && layer.length > 0; depth += 1) {
    layer = decodeOnce(layer);
    found = [...found, ...layer];
  }
  return found;
}

function decodeOnce(texts: readonly LinedText[]): LinedText[] {
  return [...texts.flatMap(decodeLine), ...decodeWrapped(texts)];
}

function decodeLine({ text, from, to }: LinedText): LinedText[] {
  const decoded: (string | null)[] = [];
  for (const [token] of text.matchAll(BASE64)) decoded.push(readable(Buffer.from(token, "base64")));
  for (const [token] of text.matchAll(HEX)) decoded.push(readable(Buffer.from(token, "hex")));
  if (text.includes("\\") || text.includes("%")) {
    const plain = text
      .replaceAll(ESCAPED, (_, ...codes: (string | undefined)[]) =>
        String.fromCharCode(
          Number.parseInt(codes.slice(0, 3).find((code) => code !== undefined) ?? "20", 16),
        ),
      )
      .replaceAll("\\n", "\n");
    if (plain !== text) decoded.push(plain);
  }
  return decoded.flatMap((one) => (one === null ? [] : [{ text: one, from, to }]));
}

function decodeWrapped(texts: readonly LinedText[]): LinedText[] {
  const decoded: LinedText[] = [];
  let run: { token: string; of: LinedText }[] = [];
  const end = () => {
    const first = run[0]?.of;
    const last = run.at(-1)?.of;
    const text =
      run.length < 2 ? null : readable(Buffer.from(run.map(({ token }) => token).join(""), "base64"));
    if (text !== null && first !== undefined && last !== undefined)
      decoded.push({ text, from: first.from, to: last.to });
    run = [];
  };
  for (const of of texts) {
    const token = WRAPPED.exec(of.text)?.[1];
    if (token === undefined) end();
    else run.push({ token, of });
  }
  end();
  return decoded;
}

/** UTF-16 has a NUL beside each letter. */
function readable(bytes: Buffer): string | null {
  const text = bytes.toString("latin1").replaceAll("\0", "");
  return READABLE.test(text) ? text : null;
}
