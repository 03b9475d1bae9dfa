import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "@agentswarm/sandbox";
import { ERROR_TAIL_CHARS, openTail } from "@agentswarm/sandbox/streams";
import { takeFileLock } from "./file-lock.ts";
import type { ReadFile } from "./find-checks.ts";

/** The target's dependencies, installed once per lockfile. All sandboxes share them, read-only. */
export interface DependencyCache {
  /**
   * Installs the dependencies of a commit if they are missing. Returns their mounts; none when the target has no
   * dependencies. Throws Fault `target.invalid` (retryable) when npm fails.
   */
  ensure(readFile: ReadFile): Promise<Mount[]>;
}

const MODULES = "node_modules";
const INSTALL_TIMEOUT_MS = 600_000;
/** Variables of this process that npm gets; secrets of the service are not among them. */
const PASSED_ON_VARIABLES = [
  "PATH",
  "HOME",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
];

/** Opens the cache in `<home>/deps`. Several processes may use it at the same time. */
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
      await using _lock = await takeFileLock(`${dir}.lock`);
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

/**
 * Installs into a new folder and renames it, so that `dir` is complete as soon as it exists. Install scripts are off:
 * code of a package must not run outside a sandbox.
 */
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
    PASSED_ON_VARIABLES.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const child = spawn("npm", args, {
    cwd: fresh,
    env,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: INSTALL_TIMEOUT_MS,
  });
  const stderr = openTail(ERROR_TAIL_CHARS);
  child.stderr.setEncoding("utf8").on("data", stderr.add);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) {
      const how = code === null ? `killed at its timeout of ${INSTALL_TIMEOUT_MS} ms` : `exit ${code}`;
      throw new Fault(
        "target.invalid",
        `npm ${args[0]} of the target's dependencies failed (${how}): ${stderr.text().trim()}`,
        { retryable: true },
      );
    }
    await rename(fresh, dir).catch((error: unknown) => {
      // Two processes may take over the same abandoned lock and install twice. Either result is valid.
      if (!existsSync(dir)) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
