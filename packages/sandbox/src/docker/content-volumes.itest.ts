import Docker from "dockerode";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { findDocker } from "../../../../test/support/docker-image.ts";
import { openContentVolumes } from "./content-volumes.ts";
import { DEFAULT_SANDBOX_IMAGE } from "./docker-host.ts";
import { packFiles } from "./pack-files.ts";

const folder = mkdtempSync(join(tmpdir(), "swarm-content-"));
const file = join(folder, "file");
writeFileSync(file, "the content");
afterAll(() => rmSync(folder, { recursive: true }));

const DAY_MS = 86_400_000;
const packed = () => packFiles([{ name: "file", from: file }]);

describe.runIf(findDocker(DEFAULT_SANDBOX_IMAGE))("content in volumes", () => {
  const docker = new Docker();
  // A prefix of its own, so that this test does not remove the content of others.
  const open = () => {
    const prefix = `suite-${randomUUID()}`;
    const volumes = async () =>
      (await docker.listVolumes({ filters: { label: [`${prefix}.content`] } })).Volumes.length;
    return { contents: openContentVolumes(docker, DEFAULT_SANDBOX_IMAGE, prefix), volumes };
  };

  test("is complete or absent", async () => {
    const { contents, volumes } = open();
    expect(await contents.volumeOf("a")).toBeNull();
    const early = new PassThrough();
    early.on("error", () => undefined).destroy(new Error("interrupted"));
    await expect(contents.put("a", early)).rejects.toThrow("interrupted");
    const late = new PassThrough();
    const putting = contents.put("a", late);
    // Only a header, while the engine waits for the announced content.
    late.write((await buffer(packed())).subarray(0, 512));
    await once(late, "resume");
    late.destroy(new Error("interrupted"));
    await expect(putting).rejects.toThrow("interrupted");
    await expect(contents.put("a", packFiles([{ name: "x", from: join(folder, "none") }]))).rejects.toThrow();
    expect(await contents.volumeOf("a")).toBeNull();
    expect(await volumes()).toBe(0);
  });

  test("uploaded by many at once, is kept once and removed a week later unless it is in use", async () => {
    const { contents, volumes } = open();
    await Promise.all(Array.from({ length: 4 }, () => contents.put("a", packed())));
    expect(await volumes()).toBe(2);
    const volume = await contents.volumeOf("a");
    await contents.clean(Date.now() + 6 * DAY_MS);
    expect(await contents.volumeOf("a")).toBe(volume);

    const Mounts = [{ Type: "volume" as const, Source: volume ?? "", Target: "/x" }];
    const user = await docker.createContainer({ Image: DEFAULT_SANDBOX_IMAGE, HostConfig: { Mounts } });
    await contents.clean(Date.now() + 8 * DAY_MS);
    expect(await contents.volumeOf("a")).toBe(volume);
    await user.remove();
    await contents.clean(Date.now() + 8 * DAY_MS);
    expect(await volumes()).toBe(0);
  });
});
