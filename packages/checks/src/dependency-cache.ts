import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "@agentswarm/sandbox";
import type { ReadFile } from "./find-checks.ts";
import { waitForTurn } from "./wait-for-turn.ts";

/** The target's dependencies, installed once per lockfile and shared by all sandboxes, read-only. */
export interface DependencyCache {
  /** What to mount for a commit; empty when the target depends on nothing. */
  ensure(readFile: ReadFile): Promise<Mount[]>;
}

const MODULES = "node_modules";
const INSTALL_TIMEOUT_MS = 600_000;
const STDERR_CHARS = 2_000;
const KEPT_ENVIRONMENT = [
  "PATH",
  "HOME",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
];

/** Opens the cache in `<home>/deps`. Several processes may share it. */
export function openDependencyCache({ home }: { home: string }): DependencyCache {
  const root = join(home, "deps");
  return {
    async ensure(readFile) {
      const manifest = await readFile("package.json");
      if (manifest === null || !hasDependencies(manifest)) return [];
      const lock = await readFile("package-lock.json");
      const key = createHash("sha256")
        .update(JSON.stringify([lock ?? manifest, process.platform, process.arch]))
        .digest("hex")
        .slice(0, 24);
      const dir = join(root, key);
      const mounts = [{ from: join(dir, MODULES), at: MODULES, key: `deps-${key}` }];
      if (existsSync(dir)) return mounts;
      await mkdir(root, { recursive: true });
      await using _turn = await waitForTurn(`${dir}.lock`);
      if (!existsSync(dir)) await install(dir, manifest, lock);
      return mounts;
    },
  };
}

function hasDependencies(manifest: string): boolean {
  const parsed = JSON.parse(manifest) as Record<string, object | undefined>;
  return ["dependencies", "devDependencies", "optionalDependencies"].some(
    (field) => Object.keys(parsed[field] ?? {}).length > 0,
  );
}

/** Installs with scripts off: nothing of a package runs outside a sandbox. The folder appears whole or not at all. */
async function install(dir: string, manifest: string, lock: string | null): Promise<void> {
  const fresh = `${dir}.${randomUUID()}`;
  await mkdir(join(fresh, MODULES), { recursive: true });
  await writeFile(join(fresh, "package.json"), manifest);
  if (lock !== null) await writeFile(join(fresh, "package-lock.json"), lock);
  const args = [
    lock === null ? "install" : "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const env = Object.fromEntries(
    KEPT_ENVIRONMENT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const child = spawn("npm", args, {
    cwd: fresh,
    env,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: INSTALL_TIMEOUT_MS,
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_CHARS);
  });
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) {
      throw new Fault(
        "target.invalid",
        `npm ${args[0]} of the target's dependencies failed: ${stderr.trim()}`,
        {
          retryable: true,
        },
      );
    }
    await rename(fresh, dir).catch((error: unknown) => {
      // Two may take over what a dead one left; whoever is first is as good.
      if (!existsSync(dir)) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
