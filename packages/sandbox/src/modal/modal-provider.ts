import { join } from "node:path";
import { ModalClient, type Image, type Sandbox as ModalSandbox } from "modal";
import {
  DEFAULT_SANDBOX_LIMITS,
  type Mount,
  type Sandbox,
  type SandboxLimits,
  type SandboxProvider,
} from "../sandbox.ts";
import type { ModalSettings } from "../settings.ts";
import { WORK } from "./base-image.ts";
import { endSandbox, isGone, openBox } from "./box.ts";
import { copyMounts } from "./copy-mounts.ts";
import { openImages } from "./images.ts";
import { openModalSandbox, prepare } from "./modal-sandbox.ts";
import { requireTokens } from "./require-tokens.ts";
import { BACK_OFF, retryWhileBusy, type BackOff } from "./retry-while-busy.ts";
import type { Guest } from "./scripts.ts";
import { openSnapshotIndex } from "./snapshot-index.ts";
import { isOrphaned, labelsOf, tagsOf, type Tags } from "./tags.ts";

export interface ModalProviderOptions {
  /** SWARM_HOME; the snapshot index is in its `modal` folder. */
  readonly home: string;
  readonly swarm: string;
  readonly settings: ModalSettings;
  /** The user that programs run as inside; by default the one of Node's image. Null: the user of the image. */
  readonly guest?: Guest | null;
  readonly backOff?: BackOff;
}

const NODE_USER: Guest = { uid: 1_000, gid: 1_000 };
const MIB = 1024 ** 2;
const CPUS_PER_CORE = 2;
/** Modal terminates a sandbox this long after its wall time, in case the process that should do it is gone. */
const BACKSTOP_MS = 60_000;
const FILL_LIMITS: SandboxLimits = { ...DEFAULT_SANDBOX_LIMITS, wallMs: 600_000 };
/** How long the SDK obeys Modal's own throttling. */
const THROTTLE_SECONDS = 60;

/**
 * Opens the provider of sandboxes in Modal's cloud: without a network, programs run as an unprivileged user, and content
 * of this machine is copied into them. Throws Fault `config.invalid` when the tokens are missing or refused.
 */
export async function openModalProvider(options: ModalProviderOptions): Promise<SandboxProvider> {
  const { settings, swarm } = options;
  const { guest = NODE_USER, backOff = BACK_OFF } = options;
  const client = new ModalClient({
    ...requireTokens(settings),
    maxThrottleWaitSecs: THROTTLE_SECONDS,
    logLevel: "error",
  });
  const app = await retryWhileBusy(
    "find the app",
    () => client.apps.fromName(settings.MODAL_APP, { createIfMissing: true }),
    backOff,
  );
  const opened = new Map<string, Sandbox>();

  const create = async (image: Image, tags: Tags, limits: SandboxLimits) => {
    const limitCores = limits.cpus / CPUS_PER_CORE;
    const limitMib = Math.ceil(limits.memoryBytes / MIB);
    const params = {
      cpu: Math.min(settings.MODAL_CPU, limitCores),
      cpuLimit: limitCores,
      memoryMiB: Math.min(settings.MODAL_MEMORY_MIB, limitMib),
      memoryLimitMiB: limitMib,
      timeoutMs: Math.ceil((limits.wallMs + BACKSTOP_MS) / 1_000) * 1_000,
      workdir: WORK,
      blockNetwork: true,
      tags,
    };
    const created = await retryWhileBusy(
      "open a sandbox",
      () => client.sandboxes.create(app, image, params),
      backOff,
    );
    const reserved = { cores: params.cpu, memoryBytes: params.memoryMiB * MIB };
    return { box: openBox(created, backOff), reserved };
  };

  const images = openImages({
    client,
    app,
    from: settings.MODAL_IMAGE,
    snapshots: openSnapshotIndex(join(options.home, "modal")),
    backOff,
    async fill(base, mounts) {
      const { box } = await create(base, tagsOf({ swarm, purpose: "fill" }), FILL_LIMITS);
      try {
        await prepare(box);
        await copyMounts(box, mounts);
        return await box.snapshot();
      } finally {
        await box.terminate();
      }
    },
  });

  /** Retries once, because Modal may have deleted the snapshot since it was looked up. */
  const createWith = async (mounts: readonly Mount[], tags: Tags, limits: SandboxLimits) => {
    try {
      return await create(await images.imageWith(mounts), tags, limits);
    } catch (error) {
      if (!isGone(error) || !images.discard(mounts)) throw error;
      return create(await images.imageWith(mounts), tags, limits);
    }
  };

  return {
    name: "modal",
    isolation: "modal",
    chargesWhileIdle: true,
    unenforced: ["pids"],
    async open(spec) {
      const openedAt = performance.now();
      const limits = { ...DEFAULT_SANDBOX_LIMITS, ...spec.limits };
      const mounts = spec.mounts ?? [];
      const withKey = mounts.filter((mount) => mount.key !== undefined);
      const { box, reserved } = await createWith(withKey, tagsOf(spec.labels), limits);
      try {
        const places = await prepare(box);
        await copyMounts(
          box,
          mounts.filter((mount) => mount.key === undefined),
        );
        const sandbox = openModalSandbox(box, { places, guest, limits, reserved, openedAt });
        opened.set(box.id, sandbox);
        return { ...sandbox, terminate: () => sandbox.terminate().finally(() => opened.delete(box.id)) };
      } catch (error) {
        await box.terminate();
        throw error;
      }
    },
    list: () => retryWhileBusy("list sandboxes", () => listSandboxes(client, app.appId, swarm), backOff),
    async terminate(id) {
      const own = opened.get(id);
      if (own !== undefined) return own.terminate();
      await retryWhileBusy(
        "terminate a sandbox",
        async () => endSandbox(await client.sandboxes.fromId(id)),
        backOff,
      );
    },
  };
}

async function listSandboxes(client: ModalClient, appId: string, swarm: string) {
  const found: ModalSandbox[] = [];
  for await (const sandbox of client.sandboxes.list({ appId, tags: { swarm } })) found.push(sandbox);
  const infos = await Promise.all(
    found.map(async (sandbox) => {
      try {
        const tags = await sandbox.getTags();
        return { id: sandbox.sandboxId, labels: labelsOf(tags), orphaned: isOrphaned(tags) };
      } catch (error) {
        // The sandbox ended in between.
        if (isGone(error)) return null;
        throw error;
      }
    }),
  );
  return infos.filter((info) => info !== null);
}
