import { once } from "node:events";
import { connect } from "node:http2";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseEnv } from "@agentswarm/service";
import { findDocker } from "../../../../test/support/docker-image.ts";
import { openBroker, TOKEN } from "../../testing/open-broker.ts";
import { DEFAULT_SANDBOX_IMAGE } from "@agentswarm/sandbox/docker";
import {
  DEFAULT_SANDBOX_LIMITS,
  openSandboxProvider,
  sandboxSettingsSchema,
  type SandboxProvider,
} from "@agentswarm/sandbox";
import { openBrokerProvider } from "../client/broker-provider.ts";
import type { Broker } from "./start-broker.ts";

const GIB = 1024 ** 3;
const KEY = "a".repeat(64);
const labels = { swarm: "refusals", purpose: "test" };
const order = { labels, limits: DEFAULT_SANDBOX_LIMITS, contents: [] };

test("BROKER_URL without BROKER_TOKEN is an error that names the token", async () => {
  const env = { SANDBOX_PROVIDER: "docker", BROKER_URL: "http://127.0.0.1:9" };
  const settings = parseEnv(sandboxSettingsSchema, env);
  const opening = openSandboxProvider({
    home: "/nowhere",
    swarm: "refusals",
    settings,
    openBroker: openBrokerProvider,
  });
  await expect(opening).rejects.toThrow("BROKER_TOKEN");
});

test("a broker that does not answer is a retryable fault", async () => {
  const opening = openBrokerProvider({ swarm: "refusals", url: "http://127.0.0.1:9", token: TOKEN });
  await expect(opening).rejects.toMatchObject({ code: "sandbox.unavailable", retryable: true });
});

describe.runIf(findDocker(DEFAULT_SANDBOX_IMAGE))("a broker refuses", () => {
  let broker: Broker;
  let provider: SandboxProvider;
  beforeAll(async () => {
    broker = await openBroker({ maxContainers: 2, maxContentBytes: 1_000_000 });
    provider = await openBrokerProvider({ swarm: "refusals", url: broker.url, token: TOKEN });
  });
  afterAll(() => broker[Symbol.asyncDispose]());

  /** Sends any request to the broker. */
  const ask = async (method: string, path: string, body?: unknown, token = TOKEN) => {
    const session = connect(broker.url);
    const stream = session.request({ ":method": method, ":path": path, authorization: `Bearer ${token}` });
    if (method !== "GET" && method !== "DELETE")
      stream.end(typeof body === "string" ? body : JSON.stringify(body ?? null));
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    const output = await text(stream);
    session.close();
    return { status: headers[":status"], output };
  };

  test.for([
    ["a wrong token", "wrong"],
    ["no token", ""],
    ["a longer token", `${TOKEN}x`],
  ] as const)("%s", async ([, token]) => {
    for (const path of ["/host", "/containers?swarm=refusals", "/nothing"])
      expect(await ask("GET", path, undefined, token)).toMatchObject({ status: 401 });
    expect(await ask("POST", "/containers", order, token)).toMatchObject({ status: 401 });
    expect(await provider.list()).toEqual([]);
  });

  test.for([
    { image: "debian:bookworm-slim" },
    { Image: "debian:bookworm-slim" },
    { binds: ["/:/host"] },
    { mounts: [{ from: "/", at: "x" }] },
    { privileged: true },
    { network: "host" },
    { HostConfig: { Privileged: true } },
    { user: "0:0" },
    { limits: { ...DEFAULT_SANDBOX_LIMITS, capAdd: ["SYS_ADMIN"] } },
    { limits: { memoryBytes: GIB } },
    { contents: [{ key: KEY, at: "../etc" }] },
    { contents: [{ key: KEY, at: "/etc" }] },
    { contents: [{ key: KEY, at: "x/../../etc" }] },
    { contents: [{ key: "/var/run", at: "x" }] },
    { contents: [{ key: KEY, at: "x", from: "/etc" }] },
    { labels: { ...labels, owner: "broker:other" } },
    { labels: { ...labels, swarm: "../x" } },
  ])("%o", async (addition) => {
    expect(await ask("POST", "/containers", { ...order, ...addition })).toMatchObject({ status: 400 });
    expect(await provider.list()).toEqual([]);
  });

  test.for([
    { memoryBytes: 5 * GIB },
    { pids: 513 },
    { cpus: 2.5 },
    { wallMs: DEFAULT_SANDBOX_LIMITS.wallMs + 1 },
  ])("limits above its maximum: %o", async (limits) => {
    await expect(provider.open({ labels, limits })).rejects.toMatchObject({ code: "sandbox.refused" });
    expect(await provider.list()).toEqual([]);
  });

  test("an invalid body, an unknown route and an invalid name", async () => {
    expect(await ask("POST", "/containers", "{")).toMatchObject({ status: 400 });
    expect(await ask("POST", "/containers", "x".repeat(300_000))).toMatchObject({ status: 400 });
    for (const path of ["/images/json", "/v1.41/containers/json", "/containers/x/attach", "/volumes"])
      expect(await ask("POST", path, {})).toMatchObject({ status: 404 });
    expect(await ask("GET", "/contents/..%2f")).toMatchObject({ status: 400 });
  });

  test("content above its maximum, and keeps nothing of it", async () => {
    const put = await ask("PUT", `/contents/${KEY}`, "x".repeat(1_100_000));
    expect(put.status).toBe(400);
    expect(await ask("GET", `/contents/${KEY}`)).toMatchObject({ status: 404 });
  });

  test("content that is not what its name says, and keeps nothing of it", async () => {
    expect(await ask("PUT", `/contents/${KEY}`, "x")).toMatchObject({
      status: 400,
      output: expect.stringContaining("SHA-256"),
    });
    expect(await ask("GET", `/contents/${KEY}`)).toMatchObject({ status: 404 });
  });

  test("more sandboxes than its maximum, until one ends", async () => {
    const [first, second] = [await provider.open({ labels }), await provider.open({ labels })];
    await expect(provider.open({ labels })).rejects.toMatchObject({ retryable: true });
    await first.terminate();
    await (await provider.open({ labels })).terminate();
    await second.terminate();
  });

  test("every request to the sandbox of another client", async () => {
    const theirs = await provider.open({ labels });
    const program = { exec: "4c0d8f0e-52a4-4a07-8f4e-0d9d1a0b2c3d", argv: ["true"] };
    for (const [method, what] of [
      ["POST", "programs"],
      ["PUT", "files"],
      ["POST", "kill"],
      ["GET", "figures"],
      ["POST", "end"],
    ] as const)
      expect(await ask(method, `/containers/${theirs.id}/${what}`, program)).toMatchObject({ status: 404 });
    expect(await ask("DELETE", `/containers/${theirs.id}`)).toMatchObject({ status: 404 });
    expect((await theirs.run(["echo", "alive"])).outputTail).toBe("alive\n");
    await theirs.terminate();
  });
});
