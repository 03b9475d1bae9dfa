import { createHash } from "node:crypto";
import { SEEN_BUCKETS } from "./view-keys.ts";

/** An event id as 64 bits: Redis keeps a small set of integers as a sorted array, at 8 bytes for each. */
export function fingerprint(eventId: string): { bucket: number; member: string } {
  const digest = createHash("sha256").update(eventId).digest();
  return { bucket: digest.readUInt16BE(8) % SEEN_BUCKETS, member: String(digest.readBigInt64BE(0)) };
}
