import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The content of a package: its manifest, and its files by path. */
export interface TestPackage {
  readonly manifest: { readonly name: string; readonly version: string } & Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** A package registry on this machine. */
export interface PackageRegistry extends AsyncDisposable {
  readonly url: string;
  /** `METHOD /path` of every request. */
  readonly requests: string[];
  /** The `authorization` header of every request. */
  readonly authorizations: (string | undefined)[];
  /** Answers every request with 503. */
  fails: boolean;
  /** The `integrity` of a package, for a lockfile. */
  integrity(name: string): string;
}

/** Serves packages, each in one version; anything else is 404. `path`: where the registry is, "/" by default. */
export async function openPackageRegistry(
  packages: readonly TestPackage[],
  path = "/",
): Promise<PackageRegistry> {
  const tarballs = new Map(packages.map((one) => [one.manifest.name, packTarball(one)]));
  const integrityOf = (name: string) =>
    `sha512-${createHash("sha512")
      .update(tarballs.get(name) ?? "")
      .digest("base64")}`;
  const server = createServer((request, response) => {
    const at = decodeURIComponent(request.url ?? "/");
    registry.requests.push(`${request.method} ${at}`);
    registry.authorizations.push(request.headers.authorization);
    if (registry.fails) return void response.writeHead(503).end("{}");
    for (const { manifest } of packages) {
      const { name, version } = manifest;
      if (at === `${path}${name}/-/${version}.tgz`) {
        response.writeHead(200, { "content-type": "application/octet-stream" });
        return void response.end(tarballs.get(name));
      }
      if (at !== `${path}${name}`) continue;
      const dist = { tarball: `${registry.url}${name}/-/${version}.tgz`, integrity: integrityOf(name) };
      const versions = { [version]: { ...manifest, dist } };
      response.writeHead(200, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
    }
    response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const registry: PackageRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    requests: [],
    authorizations: [],
    fails: false,
    integrity: integrityOf,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return registry;
}

function packTarball({ manifest, files = {} }: TestPackage): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "swarm-package-"));
  const all = { "package.json": JSON.stringify(manifest), ...files };
  for (const [path, content] of Object.entries(all)) {
    const file = join(dir, "package", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o755 });
  }
  const tarball = join(dir, "packed.tgz");
  const { status, stderr } = spawnSync("tar", ["-czf", tarball, "-C", dir, "package"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  const content = readFileSync(tarball);
  rmSync(dir, { recursive: true });
  return content;
}
