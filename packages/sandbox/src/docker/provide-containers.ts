import { runToEnd } from "../run-to-end.ts";
import { DEFAULT_SANDBOX_LIMITS, type SandboxProvider } from "../sandbox.ts";
import { WORK, type ContainerHost } from "./container-host.ts";
import { packFiles } from "./pack-files.ts";
import { openMountUploader } from "./upload-mounts.ts";

/** Makes a provider whose sandboxes are containers of the host. */
export function provideContainers(host: ContainerHost, swarm: string): SandboxProvider {
  const upload = openMountUploader(host);
  return {
    name: "docker",
    isolation: "docker",
    chargesWhileIdle: false,
    unenforced: host.unenforced,
    async open(spec) {
      const startedAt = performance.now();
      const limits = { ...DEFAULT_SANDBOX_LIMITS, ...spec.limits };
      const { contents, files } = await upload(spec.mounts ?? []);
      const container = await host.open({ labels: spec.labels, limits, contents });
      try {
        if (files.length > 0) await container.putFiles(packFiles(files));
      } catch (error) {
        await container.terminate();
        throw error;
      }
      const readyMs = performance.now() - startedAt;
      return {
        id: container.id,
        workDir: WORK,
        exec: container.exec,
        run: (argv, options) => runToEnd(container.exec(argv, options)),
        figures: async () => ({ ...(await container.figures()), readyMs }),
        terminate: container.terminate,
      };
    },
    list: () => host.list(swarm),
    terminate: host.terminate,
  };
}
