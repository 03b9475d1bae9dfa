import type { Readable } from "node:stream";
import type { z } from "zod";

/** Reads a stream to its end and parses it. Throws a TypeError when it is too long or invalid. */
export async function readJson<S extends z.ZodType>(
  stream: Readable,
  schema: S,
  maxBytes: number,
): Promise<z.infer<S>> {
  const chunks: Buffer[] = [];
  let length = 0;
  // A stream that is too long stays open, because the refusal is sent over it.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new TypeError(`the body is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks), schema);
}

/** Throws a TypeError that names the invalid fields. */
export function parseJson<S extends z.ZodType>(text: Buffer, schema: S): z.infer<S> {
  let data: unknown;
  try {
    data = JSON.parse(text.toString("utf8"));
  } catch {
    throw new TypeError("the body is not JSON");
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new TypeError(issues.join("; "));
}
