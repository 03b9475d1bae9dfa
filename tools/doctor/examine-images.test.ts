import { expect, test } from "vitest";
import { parseEnv } from "@agentswarm/service";
import { doctorSettings } from "./config.ts";
import { examineImages } from "./examine-images.ts";

const DIGEST = `@sha256:${"0a".repeat(32)}`;
const examine = (env: Record<string, string>) => examineImages(parseEnv(doctorSettings, env));

test("images by tag are named, with their settings", () => {
  expect(examine({ SANDBOX_PROVIDER: "docker", REDIS_IMAGE: `redis:8${DIGEST}` })).toMatchObject([
    { state: "warn", detail: "not pinned: NODE_IMAGE=node:24-bookworm-slim" },
  ]);
  expect(examine({ SANDBOX_PROVIDER: "modal" })).toMatchObject([
    { state: "warn", detail: "not pinned: MODAL_IMAGE=node:24-bookworm-slim" },
  ]);
});

test("images by digest are fine, and local sandboxes need none", () => {
  expect(examine({ SANDBOX_PROVIDER: "modal", MODAL_IMAGE: `node:24${DIGEST}` })).toMatchObject([
    { state: "ok" },
  ]);
  expect(examine({})).toEqual([]);
  expect(examine({ SANDBOX_PROVIDER: "docker", API_BEHIND: "container" })).toEqual([]);
});
