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
import { BACK_OFF, whenFree, type BackOff } from "./back-off.ts";
import { WORK } from "./base-image.ts";
import { endSandbox, isGone, openBox } from "./box.ts";
import { carryIn } from "./carry-in.ts";
import { openImageNotes } from "./image-notes.ts";
import { openImages } from "./images.ts";
import { openModalSandbox, prepare } from "./modal-sandbox.ts";
import { requireTokens } from "./require-tokens.ts";
import type { Guest } from "./scripts.ts";
import { isOrphaned, labelsOf, tagsOf, type Tags } from "./tags.ts";

export interface ModalProviderOptions {
  /** SWARM_HOME; which snapshot holds what is noted in its `modal` folder. */
  readonly home: string;
  readonly swarm: string;
  readonly settings: ModalSettings;
  /** Whom programs run as inside; by default the user that Node's image has for that. */
  readonly guest?: Guest | null;
  readonly backOff?: BackOff;
}

const NODE_USER: Guest = { uid: 1_000, gid: 1_000 };
const MIB = 1024 ** 2;
const CPUS_PER_CORE = 2;
/** Beyond the wall time, so that the limit on Modal's side is a backstop only. */
const BACKSTOP_MS = 60_000;
const FILL_LIMITS: SandboxLimits = { ...DEFAULT_SANDBOX_LIMITS, wallMs: 600_000 };
/** The SDK obeys Modal's own "come back later" for this long. */
const THROTTLE_SECONDS = 60;

/**
 * Sandboxes in Modal's cloud: no network, programs run as a user without rights, and content of this machine is
 * carried in. Throws Fault `config.invalid` when the tokens are missing or refused.
 */
export async function openModalProvider(options: ModalProviderOptions): Promise<SandboxProvider> {
  const { settings, swarm } = options;
  const { guest = NODE_USER, backOff = BACK_OFF } = options;
  const client = new ModalClient({
    ...requireTokens(settings),
    maxThrottleWaitSecs: THROTTLE_SECONDS,
    logLevel: "error",
  });
  const app = await whenFree(
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
    const made = await whenFree("open a sandbox", () => client.sandboxes.create(app, image, params), backOff);
    const reserved = { cores: params.cpu, memoryBytes: params.memoryMiB * MIB };
    return { box: openBox(made, backOff), reserved };
  };

  const images = openImages({
    client,
    app,
    from: settings.MODAL_IMAGE,
    notes: openImageNotes(join(options.home, "modal")),
    backOff,
    async fill(base, mounts) {
      const { box } = await create(base, tagsOf({ swarm, purpose: "fill" }), FILL_LIMITS);
      try {
        await prepare(box);
        await carryIn(box, mounts);
        return await box.snapshot();
      } finally {
        await box.terminate();
      }
    },
  });

  /** A snapshot may have been thrown away by Modal since it was looked up. */
  const createHolding = async (mounts: readonly Mount[], tags: Tags, limits: SandboxLimits) => {
    try {
      return await create(await images.holding(mounts), tags, limits);
    } catch (error) {
      if (!isGone(error) || !images.forget(mounts)) throw error;
      return create(await images.holding(mounts), tags, limits);
    }
  };

  return {
    name: "modal",
    isolation: "modal",
    chargesWhileIdle: true,
    unenforced: ["pids"],
    async open(spec) {
      const askedAt = performance.now();
      const limits = { ...DEFAULT_SANDBOX_LIMITS, ...spec.limits };
      const mounts = spec.mounts ?? [];
      const lasting = mounts.filter((mount) => mount.key !== undefined);
      const { box, reserved } = await createHolding(lasting, tagsOf(spec.labels), limits);
      try {
        const places = await prepare(box);
        await carryIn(
          box,
          mounts.filter((mount) => mount.key === undefined),
        );
        const sandbox = openModalSandbox(box, { places, guest, limits, reserved, askedAt });
        opened.set(box.id, sandbox);
        return { ...sandbox, terminate: () => sandbox.terminate().finally(() => opened.delete(box.id)) };
      } catch (error) {
        await box.terminate();
        throw error;
      }
    },
    list: () => whenFree("list sandboxes", () => listSandboxes(client, app.appId, swarm), backOff),
    async terminate(id) {
      const own = opened.get(id);
      if (own !== undefined) return own.terminate();
      await whenFree("end a sandbox", async () => endSandbox(await client.sandboxes.fromId(id)), backOff);
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
        // It ended in between.
        if (isGone(error)) return null;
        throw error;
      }
    }),
  );
  return infos.filter((info) => info !== null);
}
