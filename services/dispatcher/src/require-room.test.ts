import { expect, test } from "vitest";
import { requireRoom } from "./require-room.ts";

const MIB = 1024 * 1024;

test("no attempt begins where its work could not be kept", async () => {
  const fault = requireRoom("/home/swarm/bundles", async () => 63 * MIB);
  await expect(fault).rejects.toMatchObject({ code: "disk.full", source: "operator", retryable: true });
  await expect(fault).rejects.toThrow(/bundles has 63 MiB of free space, less than the 64 MiB/);
  await requireRoom("/home/swarm/bundles", async () => 64 * MIB);
});

test("a folder whose room is not known has enough", async () => {
  await requireRoom("/nowhere", () => Promise.reject(new Error("ENOENT")));
});
