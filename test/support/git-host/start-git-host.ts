import { once } from "node:events";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { findContainers, type Containers } from "../containers.ts";
import { serveGit } from "./serve-git.ts";

/** A server of the repositories in a folder: `<url>/<absolute path>`. */
export interface GitHost extends AsyncDisposable {
  readonly url: string;
  readonly place: "container" | "host";
}

const IMAGE = "agentswarm-test-git-host";
const IMAGE_FILES = ["Dockerfile", "main.ts", "serve-git.ts"];
const PORT = 8_080;
const CONSEQUENCE = "the git host of this test runs as a process of this machine and NOT in a container";

/** Starts a git host for a folder, in a container with the folder mounted where Docker can do so, else in this process. */
export async function startGitHost(folder: string): Promise<GitHost> {
  const containers = await findContainers(CONSEQUENCE);
  if (containers !== null) {
    try {
      return await startInContainer(containers, folder);
    } catch (error) {
      console.warn(
        `the container of the git host does not start (${(error as Error).message}): ${CONSEQUENCE}`,
      );
    }
  }
  const server = await serveGit({ host: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    place: "host",
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function startInContainer(containers: Containers, folder: string): Promise<GitHost> {
  const image = await imageOf(containers);
  const container = await image
    .withExposedPorts(PORT)
    .withBindMounts([{ source: folder, target: folder, mode: "rw" }])
    // What is pushed belongs to the user of the test, who removes it.
    .withUser(`${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`)
    .withWaitStrategy(containers.Wait.forLogMessage("git host ready"))
    .withStartupTimeout(60_000)
    .start();
  const host: GitHost = {
    url: `http://${container.getHost()}:${container.getMappedPort(PORT)}`,
    place: "container",
    async [Symbol.asyncDispose]() {
      await container.stop();
    },
  };
  // An engine on another machine, or one with other user ids, does not share the folder.
  const probe = join(folder, ".written-by-container");
  await container.exec(["touch", probe]);
  if (!existsSync(probe)) {
    await host[Symbol.asyncDispose]();
    throw new Error(`Docker does not share ${folder}`);
  }
  await rm(probe);
  return host;
}

/** The image, built when Docker does not have it. Its tag names its content: after a failed build an old image is not used. */
async function imageOf({ GenericContainer, ImageName, client }: Containers) {
  const hash = createHash("sha256");
  for (const file of IMAGE_FILES) hash.update(await readFile(join(import.meta.dirname, file)));
  const name = `${IMAGE}:${hash.digest("hex").slice(0, 12)}`;
  if (await client.image.exists(ImageName.fromString(name))) return new GenericContainer(name);
  return GenericContainer.fromDockerfile(import.meta.dirname).build(name, { deleteOnExit: false });
}
