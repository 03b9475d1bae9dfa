import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDependencyCache, type DependencyCache } from "@agentswarm/checks";
import { DEFAULT_REPO, newTraceparent, targetSettingsSchema } from "@agentswarm/contracts";
import { openLandingEngine, openOrigin } from "@agentswarm/git";
import { createSender, openQueue, type QueueConnection } from "@agentswarm/queue";
import { openSandboxProvider, sandboxSettingsSchema, type SandboxProvider } from "@agentswarm/sandbox";
import { createLogger, parseEnv } from "@agentswarm/service";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { git, makeStringKit } from "../../../test/support/string-kit.ts";
import { openGate, type Candidate, type Gate } from "./gate.ts";

const dir = mkdtempSync(join(tmpdir(), "swarm-gate-"));
const origin = makeStringKit(dir);
const target = targetSettingsSchema.parse({ checks: { gate: ["true"] } });

let redis: TestRedis;
let connection: QueueConnection;
let provider: SandboxProvider;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
  const settings = parseEnv(sandboxSettingsSchema, {
    ...process.env,
    ALLOW_UNISOLATED: "true",
    ALLOW_UNLIMITED: "true",
  });
  provider = await openSandboxProvider({ home: dir, swarm: "gate", settings });
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await redis.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A real provider whose sandboxes report another tree than the one they were given. */
function misreporting(tree: string): SandboxProvider {
  return {
    ...provider,
    async open(spec) {
      const sandbox = await provider.open(spec);
      return {
        ...sandbox,
        async run(argv, options) {
          const done = await sandbox.run(argv, options);
          return argv.includes("sh") && /^[0-9a-f]{40}$/m.test(done.outputTail)
            ? { ...done, outputTail: `${tree}\n` }
            : done;
        },
      };
    },
  };
}

/** Runs `work` with a gate, and with the trunk's head as the candidate. */
async function withGate<T>(
  by: SandboxProvider,
  work: (gate: Gate, candidate: Candidate) => Promise<T>,
  dependencies?: DependencyCache,
): Promise<T> {
  using mirror = await openOrigin({ url: origin, trunk: "main", mirrorDir: join(dir, "mirror") });
  using engine = openLandingEngine({ dir: origin, strategy: "fast-forward" });
  const log = createLogger({ service: "test", level: "fatal" });
  const gate = openGate({
    repoId: DEFAULT_REPO,
    mirror,
    engine,
    provider: by,
    dependencies:
      dependencies ?? openDependencyCache({ home: dir, provider: by, swarm: "gate", env: process.env, log }),
    sender: createSender(connection, "test"),
    log,
    bundlesDir: join(dir, "bundles"),
    swarm: "gate",
  });
  const commit = await mirror.head();
  const tree = await mirror.treeOf(commit);
  return await work(gate, { commit, base: commit, tree, trace: newTraceparent(), target });
}

const { signal } = new AbortController();
const testTrunk = (by: SandboxProvider, dependencies?: DependencyCache) =>
  withGate(by, (gate, candidate) => gate.test(candidate, signal), dependencies);

// Fault 24: the landed tree is not the one that was tested.
test("a result counts only for the tree that would be published", async () => {
  expect(await testTrunk(provider)).toBeNull();
  const other = git(origin, "rev-parse", "main:src");
  await expect(testTrunk(misreporting(other))).rejects.toThrow(`the gate checked tree ${other}`);
});

/** Dependencies that cannot be installed. `isOfBase`: the base asks for the same ones. */
function refusing(isOfBase: boolean): DependencyCache {
  return {
    ensure: async () => ({ kind: "refused", why: "E404 not-there" }),
    isSame: async () => isOfBase,
    removeUnused: async () => 0,
  };
}

test("dependencies that an attempt changed and that cannot be installed are a red check", async () => {
  const result = await testTrunk(provider, refusing(false));
  expect(result).toMatchObject({ name: "dependencies", exitCode: 1, outputTail: "E404 not-there" });
});

test("dependencies of the base that cannot be installed are a retryable fault, charged to no attempt", async () => {
  const tested = testTrunk(provider, refusing(true));
  await expect(tested).rejects.toMatchObject({ code: "target.invalid", retryable: true });
});

test("a result counts only for the checks that were run: those of the base of a batch, which the tree does not decide", async () => {
  const opened: string[] = [];
  const counting: SandboxProvider = {
    ...provider,
    open(spec) {
      opened.push(spec.labels.purpose ?? "");
      return provider.open(spec);
    },
  };
  await withGate(counting, async (gate, candidate) => {
    expect(await gate.test(candidate, signal)).toBeNull();
    expect(await gate.test(candidate, signal)).toBeNull();
    expect(opened).toHaveLength(1);
    const stricter = targetSettingsSchema.parse({ checks: { gate: ["true", "false"] } });
    expect(await gate.test({ ...candidate, target: stricter }, signal)).toMatchObject({ command: "false" });
  });
});
