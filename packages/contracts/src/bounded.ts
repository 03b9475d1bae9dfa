import { z } from "zod";

/** Text of which more than `maxChars` characters are cut off at the end. */
export function clippedText(maxChars: number) {
  return z.string().overwrite((text) => clip(text, maxChars));
}

/** The longest path that the systems of sandboxes take (PATH_MAX). */
const PATH_CHARS = 4_096;

/** A path of a file in a repository, or a glob over such paths. */
export function pathText() {
  return clippedText(PATH_CHARS);
}

/** Text of which only the last `maxChars` characters are kept, as for the output of a program. */
export function tailText(maxChars: number) {
  return z.string().overwrite((text) => text.slice(-maxChars));
}

/** A list that keeps its first items: at most `maxItems`, of together at most `maxChars` characters, and at least one. */
export function clippedList<T extends z.ZodType>(
  item: T,
  { maxItems, maxChars = Infinity }: { readonly maxItems: number; readonly maxChars?: number },
) {
  return z.array(item).overwrite((items) => {
    let chars = 0;
    const end = items.findIndex((one, at) => {
      chars += typeof one === "string" ? one.length : JSON.stringify(one).length;
      return at > 0 && (at >= maxItems || chars > maxChars);
    });
    return end === -1 ? items : items.slice(0, end);
  });
}

/** The first `maxChars` characters of a text, with a mark where it was cut. */
function clip(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
