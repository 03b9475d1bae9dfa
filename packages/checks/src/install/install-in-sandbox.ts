import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import { openDoor, type Mount, type Sandbox, type SandboxProvider } from "@agentswarm/sandbox";
import type { Lock, Manifest } from "./dependency-files.ts";
import type { NpmConfig } from "./npm-config.ts";
import { openRegistryRelay, type RegistryRelay, type RelayLog } from "./registry-relay.ts";
import { unpackModules } from "./unpack-modules.ts";

export interface InstallOptions {
  readonly provider: SandboxProvider;
  /** The `swarm` label of the sandbox. */
  readonly swarm: string;
  readonly config: NpmConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: RelayLog;
  readonly signal?: AbortSignal | undefined;
}

export interface Project {
  readonly manifest: Manifest;
  readonly lock: Lock | null;
  /** Packages whose install scripts run. */
  readonly scripts: readonly string[];
}

/** Why an installation failed by what the project asks for; null when `dir` has its packages. */
export type InstallResult = { readonly why: string } | null;

const PROGRAM = fileURLToPath(new URL("installer.mjs", import.meta.url));
const PROGRAM_AT = "installer.mjs";
const INSTALL_TIMEOUT_MS = 600_000;
const MAX_RESULT_BYTES = 65_536;
/** The machine's and not the project's: another try may succeed. */
const MACHINE_ERRORS = new Set(["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO", "EMFILE", "ENFILE"]);

const resultSchema = z.object({
  code: z.number().nullable(),
  signal: z.string().nullable(),
  outputTail: z.string(),
  /** npm could not be started. */
  missing: z.boolean().optional(),
});

/**
 * Installs a project's packages in a sandbox of its own, which has no network, an empty home and one way out: the
 * configured registries, through the sandbox's door. `dir` is an empty folder that receives node_modules' content.
 * Throws retryable Fault `registry.unreachable` when a registry failed, `sandbox.died` when the sandbox ended early, and
 * what the provider's `open` throws.
 */
export async function installInSandbox(
  options: InstallOptions,
  project: Project,
  dir: string,
): Promise<InstallResult> {
  const { provider, signal } = options;
  const sandbox = await provider.open({
    labels: { swarm: options.swarm, purpose: "install" },
    mounts: [programMount()],
    limits: { wallMs: INSTALL_TIMEOUT_MS + 60_000 },
  });
  const stop = new AbortController();
  const relay = openRegistryRelay({ ...options, signal: stop.signal });
  const onAbort = () => void sandbox.terminate();
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    return await runInstaller(sandbox, relay, project, dir);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    stop.abort();
    relay.close();
    await sandbox.terminate();
  }
}

async function runInstaller(
  sandbox: Sandbox,
  relay: RegistryRelay,
  project: Project,
  dir: string,
): Promise<InstallResult> {
  const child = sandbox.exec(["node", PROGRAM_AT], { timeoutMs: INSTALL_TIMEOUT_MS });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-2_000);
  });
  let result: z.infer<typeof resultSchema> | null = null;
  let unpacked: Promise<InstallResult> | null = null;

  const answer = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const route = `${headers[":method"]} ${headers[":path"]}`;
    if (route === "GET /order") {
      stream.respond({ ":status": 200, "content-type": "application/json" });
      stream.end(JSON.stringify(orderOf(project, relay, headers[":authority"] ?? "")));
    } else if (route === "PUT /modules" && unpacked === null) {
      unpacked = unpack(stream, dir);
      const refused = await unpacked;
      if (!stream.destroyed) stream.respond({ ":status": refused === null ? 204 : 413 }, { endStream: true });
    } else if (route === "PUT /result" && result === null) {
      result = resultSchema.parse(JSON.parse(await readText(stream)));
      if (!stream.destroyed) stream.respond({ ":status": 204 }, { endStream: true });
    } else if (!stream.destroyed) stream.respond({ ":status": 404 }, { endStream: true });
  };
  const door = openDoor(child, (stream, headers) => {
    if (relay.owns(headers[":path"] ?? "")) return relay.handle(stream, headers);
    answer(stream, headers).catch(() => stream.close());
  });
  const [{ timedOut }] = await Promise.all([child.exit, door.closed]);
  door.close();
  return decide(result, {
    relay,
    unpacked: await (unpacked as Promise<InstallResult> | null),
    timedOut,
    stderr,
  });
}

/** Whose failure it was. What the machine or a registry caused is thrown, so that it is never charged to a project. */
function decide(
  result: z.infer<typeof resultSchema> | null,
  facts: {
    readonly relay: RegistryRelay;
    readonly unpacked: InstallResult;
    readonly timedOut: boolean;
    readonly stderr: string;
  },
): InstallResult {
  const { failure, exceeded } = facts.relay.used;
  if (facts.unpacked !== null) return facts.unpacked;
  if (result?.code === 0) return null;
  if (exceeded !== null) return { why: `the installation exceeds its limit of ${exceeded}` };
  if (failure !== null)
    throw new Fault("registry.unreachable", `the dependencies could not be installed: ${failure}`, {
      retryable: true,
    });
  if (facts.timedOut) return { why: `the installation did not end within ${INSTALL_TIMEOUT_MS} ms` };
  if (result === null || result.missing)
    throw new Fault(
      "sandbox.died",
      `the sandbox that installs dependencies failed: ${result?.outputTail ?? facts.stderr}`,
      { retryable: true },
    );
  const how = result.code === null ? `was ended by ${result.signal}` : `ended with ${result.code}`;
  return { why: `npm ${how}: ${result.outputTail.trim()}` };
}

async function unpack(stream: ServerHttp2Stream, dir: string): Promise<InstallResult> {
  try {
    await unpackModules(stream as AsyncIterable<Buffer>, dir);
    return null;
  } catch (error) {
    if (MACHINE_ERRORS.has((error as NodeJS.ErrnoException).code ?? ""))
      throw new Fault(
        "sandbox.unavailable",
        `the dependencies could not be kept: ${(error as Error).message}`,
        {
          retryable: true,
          cause: error,
        },
      );
    return { why: (error as Error).message };
  }
}

async function readText(stream: ServerHttp2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_RESULT_BYTES) throw new Error("the result is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What the program inside writes and runs. */
export function orderOf({ manifest, lock, scripts }: Project, relay: RegistryRelay, authority: string) {
  const files: Record<string, string> = {
    "project/package.json": JSON.stringify(manifest),
    "home/.npmrc": npmrcOf(relay.registryUrls(authority)),
  };
  if (lock !== null) files["project/package-lock.json"] = JSON.stringify(relayLock(lock, relay, authority));
  const commands = [["npm", lock === null ? "install" : "ci"]];
  if (scripts.length > 0) commands.push(["npm", "rebuild", "--ignore-scripts=false", "--", ...scripts]);
  return { files, commands };
}

function npmrcOf(registries: readonly { readonly scope: string | null; readonly url: string }[]): string {
  const lines = [
    ...registries.map(({ scope, url }) => `${scope === null ? "" : `${scope}:`}registry=${url}`),
    "replace-registry-host=never",
    "ignore-scripts=true",
    "allow-git=none",
    "allow-remote=none",
    "allow-file=none",
    // For a version of npm that does not know allow-git.
    "git=false",
    "audit=false",
    "fund=false",
    "update-notifier=false",
    "progress=false",
    "color=false",
    "loglevel=error",
    "logs-max=0",
    "package-lock=true",
    "save=false",
    "maxsockets=16",
    "fetch-retries=2",
    "fetch-retry-mintimeout=500",
    "fetch-retry-maxtimeout=2000",
    "fetch-timeout=60000",
  ];
  return `${lines.join("\n")}\n`;
}

/** The lockfile with the addresses of its tarballs in the relay. */
function relayLock(lock: Lock, relay: RegistryRelay, authority: string): Lock {
  const relayed = structuredClone(lock);
  const visit = (entry: { resolved?: string | boolean | undefined; dependencies?: object | undefined }) => {
    if (typeof entry.resolved !== "string" || !/^https?:/.test(entry.resolved)) return;
    const url = relay.tarballUrl(entry.resolved, authority);
    if (url === null) delete entry.resolved;
    else entry.resolved = url;
  };
  for (const entry of Object.values(relayed.packages ?? {})) visit(entry);
  const visitOld = (entries: NonNullable<Lock["dependencies"]>) => {
    for (const entry of Object.values(entries)) {
      visit(entry);
      visitOld(entry.dependencies ?? {});
    }
  };
  visitOld(relayed.dependencies ?? {});
  return relayed;
}

let programKey: string | undefined;

function programMount(): Mount {
  programKey ??= createHash("sha256").update(readFileSync(PROGRAM)).digest("hex").slice(0, 24);
  return { from: PROGRAM, at: PROGRAM_AT, key: `installer-${programKey}` };
}
