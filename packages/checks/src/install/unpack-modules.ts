import { mkdir, open, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";

export interface UnpackLimits {
  readonly bytes: number;
  readonly entries: number;
}

export const UNPACK_LIMITS: UnpackLimits = { bytes: 2 * 2 ** 30, entries: 300_000 };

const MAX_LINE_BYTES = 16_384;
const MAX_NAME_BYTES = 255;
const MAX_PATH_CHARS = 2_000;
const NEWLINE = 10;

const entrySchema = z.union([
  z.tuple([z.literal("folder"), z.string()]),
  z.tuple([z.literal("file"), z.string(), z.boolean(), z.number().int().min(0)]),
  z.tuple([z.literal("link"), z.string(), z.string()]),
  z.tuple([z.literal("end")]),
]);

/**
 * Writes the installed packages that a sandbox hands back (the format of `installer.mjs`) into the empty folder `dir`.
 * The sandbox is not trusted: nothing is written outside `dir` or over another entry, links point into `dir`, and the
 * limits hold. Throws an Error that says what was refused.
 */
export async function unpackModules(
  source: AsyncIterable<Buffer>,
  dir: string,
  limits: UnpackLimits = UNPACK_LIMITS,
): Promise<void> {
  const reader = openReader(source);
  const links: (readonly [path: string, target: string])[] = [];
  let bytes = 0;
  for (let entries = 0; ; entries += 1) {
    const entry = entrySchema.parse(JSON.parse(await reader.line()));
    if (entry[0] === "end") break;
    if (entries >= limits.entries)
      throw new Error(`the dependencies are more than ${limits.entries} files and folders`);
    const path = placeOf(entry[1]);
    // All links are made at the end, so that no path leads through one.
    if (entry[0] === "link") links.push([path, entry[2]]);
    else if (entry[0] === "folder") await mkdir(join(dir, path));
    else {
      bytes += entry[3];
      if (bytes > limits.bytes) throw new Error(`the dependencies are more than ${limits.bytes} bytes`);
      await using file = await open(join(dir, path), "wx", entry[2] ? 0o755 : 0o644);
      await reader.bytes(entry[3], (chunk) => file.writeFile(chunk));
    }
  }
  for (const [path, target] of links) {
    requireInside(path, target);
    await symlink(target, join(dir, path));
  }
}

function placeOf(path: string): string {
  const isPlain = path
    .split("/")
    .every(
      (name) => name !== "" && name !== "." && name !== ".." && Buffer.byteLength(name) <= MAX_NAME_BYTES,
    );
  if (!isPlain || path.length > MAX_PATH_CHARS || path.includes("\0") || path.includes("\\"))
    throw new Error(`the dependencies have the path ${JSON.stringify(path.slice(0, 300))}`);
  return path;
}

/**
 * A link's `..` come first and are no more than the folders above it. Behind them it may go through other links, which
 * obey the same rule.
 */
function requireInside(path: string, target: string): void {
  const names = target.split("/");
  const up = names.findIndex((name) => name !== "..");
  const above = dirname(path) === "." ? 0 : dirname(path).split("/").length;
  const isInside =
    target !== "" &&
    target.length <= MAX_PATH_CHARS &&
    !target.startsWith("/") &&
    !target.includes("\0") &&
    up !== -1 &&
    up <= above &&
    !names.slice(up).includes("..");
  if (!isInside)
    throw new Error(`the dependencies have a link ${path} to ${JSON.stringify(target.slice(0, 300))}`);
}

function openReader(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async () => {
    const next = await chunks.next();
    if (next.done) throw new Error("the dependencies ended early");
    return next.value;
  };
  return {
    async line(): Promise<string> {
      for (;;) {
        const end = rest.indexOf(NEWLINE);
        if (end > MAX_LINE_BYTES || (end === -1 && rest.length > MAX_LINE_BYTES))
          throw new Error("the dependencies have an entry that is too long");
        if (end === -1) rest = Buffer.concat([rest, await more()]);
        else {
          const line = rest.subarray(0, end).toString("utf8");
          rest = rest.subarray(end + 1);
          return line;
        }
      }
    },
    async bytes(count: number, onChunk: (chunk: Buffer) => Promise<void>): Promise<void> {
      for (let left = count; left > 0;) {
        if (rest.length === 0) rest = await more();
        const chunk = rest.subarray(0, left);
        rest = rest.subarray(chunk.length);
        left -= chunk.length;
        await onChunk(chunk);
      }
    },
  };
}
