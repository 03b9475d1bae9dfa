import { randomUUID } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServerError, Status } from "nice-grpc";
import { openFakeSandbox, type FakeSandbox } from "./fake-sandbox.ts";

/** The facts of an opened sandbox, for tests. */
export interface Opened {
  readonly imageId: string;
  readonly tags: Record<string, string>;
  readonly networkAccess: number;
  readonly timeoutSecs: number;
  readonly milliCpu: number;
  readonly milliCpuMax: number;
  readonly memoryMb: number;
  readonly memoryMbMax: number;
}

export interface Definition {
  readonly imageId: string;
  readonly workdir?: string;
  readonly timeoutSecs: number;
  readonly networkAccess?: { networkAccessType: number };
  readonly resources?: { milliCpu: number; milliCpuMax: number; memoryMb: number; memoryMbMax: number };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** Opens the state of the fake service: sandboxes and images, in one temporary folder. */
export async function openWorld(rootless: boolean) {
  // Readable for all users, because programs run as others.
  const dir = await mkdtemp(join(tmpdir(), "swarm-fake-modal-"));
  await chmod(dir, 0o755);
  const programs = join(dir, "bin");
  await mkdir(programs);
  if (rootless) await writeFile(join(programs, "id"), "#!/bin/sh\necho 1000\n", { mode: 0o755 });
  const sandboxes = new Map<string, FakeSandbox>();
  const images = new Map<string, string | null>();
  const opened: Opened[] = [];
  const find = (id: string) => {
    const sandbox = sandboxes.get(id.replace(/^ta-/, "sb-"));
    if (sandbox === undefined || sandbox.isOver()) throw new ServerError(Status.NOT_FOUND, `no ${id}`);
    return sandbox;
  };
  return {
    opened,
    images,
    sandboxes,
    find,
    async create(definition: Definition, tags: { tagName: string; tagValue: string }[]) {
      const { imageId, workdir = "/root", timeoutSecs } = definition;
      const image = images.get(imageId);
      if (image === undefined) throw new ServerError(Status.NOT_FOUND, `no image ${imageId}`);
      const id = `sb-${randomUUID().replaceAll("-", "").slice(0, 26)}`;
      const root = join(dir, id);
      const sandbox = await openFakeSandbox({ id, root, programs, tags, workdir, timeoutSecs, image });
      sandboxes.set(id, sandbox);
      opened.push({
        imageId,
        tags: Object.fromEntries(tags.map((tag) => [tag.tagName, tag.tagValue])),
        networkAccess: definition.networkAccess?.networkAccessType ?? 0,
        timeoutSecs,
        milliCpu: definition.resources?.milliCpu ?? 0,
        milliCpuMax: definition.resources?.milliCpuMax ?? 0,
        memoryMb: definition.resources?.memoryMb ?? 0,
        memoryMbMax: definition.resources?.memoryMbMax ?? 0,
      });
      return sandbox;
    },
    async snapshot(taskId: string) {
      const { root } = find(taskId);
      const imageId = `im-${randomUUID()}`;
      const image = join(dir, imageId);
      await cp(root, image, { recursive: true, verbatimSymlinks: true });
      images.set(imageId, image);
      return imageId;
    },
    async close() {
      await Promise.all([...sandboxes.values()].map((sandbox) => sandbox.terminate()));
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
