import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerError, Status } from "nice-grpc";
import type { Definition, World } from "./world.ts";

const SUCCESS = 1;
const HOUR_S = 3_600;

/** Makes an unsigned token that expires in an hour. */
export function writeToken(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ exp: Math.floor(Date.now() / 1_000) + HOUR_S })}.none`;
}

/** The methods of Modal's own service. */
export function controlPlane(world: World, url: () => string) {
  const access = () => ({ jwt: writeToken(), url: url() });
  return {
    authTokenGet: async () => ({ token: writeToken() }),
    appGetOrCreate: async ({ appName }: { appName: string }) => ({ appId: `ap-${appName}` }),
    environmentGetOrCreate: async () => ({
      environmentId: "en-1",
      metadata: { name: "main", settings: { imageBuilderVersion: "2025.06", webhookSuffix: "" } },
    }),
    /** Builds nothing, because programs of this machine run. */
    async imageGetOrCreate({ image }: { image: { dockerfileCommands: string[] } }) {
      const commands = JSON.stringify(image.dockerfileCommands);
      const imageId = `im-${createHash("sha256").update(commands).digest("hex").slice(0, 22)}`;
      world.images.set(imageId, null);
      return { imageId, result: { status: SUCCESS } };
    },
    async imageFromId({ imageId }: { imageId: string }) {
      if (!world.images.has(imageId)) throw new ServerError(Status.NOT_FOUND, `no image ${imageId}`);
      return { imageId };
    },
    async sandboxCreateV2(request: {
      definition: Definition;
      tags: { tagName: string; tagValue: string }[];
    }) {
      const { id } = await world.create(request.definition, request.tags);
      return { sandboxId: id, taskId: id.replace("sb-", "ta-"), commandRouterAccess: access() };
    },
    sandboxGetTaskIdV2: async ({ sandboxId }: { sandboxId: string }) => ({
      taskId: world.find(sandboxId).id.replace("sb-", "ta-"),
    }),
    sandboxGetCommandRouterAccess: async () => access(),
    async sandboxWaitV2({ sandboxId, timeout }: { sandboxId: string; timeout: number }) {
      const sandbox = world.sandboxes.get(sandboxId);
      if (sandbox === undefined) throw new ServerError(Status.NOT_FOUND, `no ${sandboxId}`);
      const waited = new AbortController();
      const expired = sleep(timeout * 1_000, null, { signal: waited.signal }).catch(() => null);
      const result = await Promise.race([sandbox.ended, expired]);
      waited.abort();
      return result === null ? {} : { result };
    },
    async sandboxTerminateV2({ sandboxId }: { sandboxId: string }) {
      await world.find(sandboxId).terminate();
      return {};
    },
    sandboxTagsGetV2: async ({ sandboxId }: { sandboxId: string }) => ({ tags: world.find(sandboxId).tags }),
    async sandboxListV2(request: {
      tags: { tagName: string; tagValue: string }[];
      beforeTimestamp?: number;
    }) {
      const before = request.beforeTimestamp || Number.POSITIVE_INFINITY;
      const matches = (tags: readonly { tagName: string; tagValue: string }[]) =>
        request.tags.every((one) =>
          tags.some((tag) => tag.tagName === one.tagName && tag.tagValue === one.tagValue),
        );
      const found = [...world.sandboxes.values()].filter(
        (one) => !one.isOver() && one.createdAt < before && matches(one.tags),
      );
      const newestFirst = found.toSorted((a, b) => b.createdAt - a.createdAt);
      return { sandboxes: newestFirst.map(({ id, createdAt, tags }) => ({ id, createdAt, tags })) };
    },
  };
}
