import type { Readable } from "node:stream";
import type { z } from "zod";

/** Reads a stream to its end and checks it. Throws a TypeError when it is too long, or not what it must be. */
export async function readJson<S extends z.ZodType>(
  stream: Readable,
  schema: S,
  maxBytes: number,
): Promise<z.infer<S>> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Left open when it is too long: over the same stream that is said.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new TypeError(`longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks), schema);
}

/** Throws a TypeError that says what is wrong. */
export function parseJson<S extends z.ZodType>(text: Buffer, schema: S): z.infer<S> {
  let data: unknown;
  try {
    data = JSON.parse(text.toString("utf8"));
  } catch {
    throw new TypeError("not JSON");
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new TypeError(issues.join("; "));
}
