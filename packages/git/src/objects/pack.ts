import { createHash, hash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { ObjectType } from "./object-reader.ts";

export interface NewObject {
  readonly type: ObjectType;
  readonly body: Buffer;
}

const TYPE_NUMBER: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };
/** None: trees are mostly hashes, which do not compress, and `repack` writes everything again. */
const COMPRESSION = 0;

/** A body below this is hashed faster as a copy with its header. */
const COPIED_BYTES = 64 * 1024;

export function objectId({ type, body }: NewObject): string {
  const header = Buffer.from(`${type} ${body.length}\0`);
  if (body.length < COPIED_BYTES) return hash("sha1", Buffer.concat([header, body]), "hex");
  return createHash("sha1").update(header).update(body).digest("hex");
}

/** Encodes a pack of whole objects, without deltas (gitformat-pack). */
export function encodePack(objects: readonly NewObject[]): Buffer {
  const header: Buffer = Buffer.alloc(12);
  header.write("PACK", 0, "latin1");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const parts: Buffer[] = [header];
  for (const { type, body } of objects) {
    parts.push(entryHeader(TYPE_NUMBER[type], body.length), deflateSync(body, { level: COMPRESSION }));
  }
  const content = Buffer.concat(parts);
  return Buffer.concat([content, createHash("sha1").update(content).digest()]);
}

/** Type in three bits; size in four bits and then seven at a time, lowest first. */
function entryHeader(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let byte = (type << 4) | (size & 0x0f);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest & 0x7f;
  }
  bytes.push(byte);
  return Buffer.from(bytes);
}
