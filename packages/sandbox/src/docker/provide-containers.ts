import { runToEnd } from "../run-to-end.ts";
import { DEFAULT_SANDBOX_LIMITS, type SandboxProvider } from "../sandbox.ts";
import { openCarrier } from "./carry-mounts.ts";
import { WORK, type ContainerHost } from "./container-host.ts";
import { packFiles } from "./pack-files.ts";

/** A provider of sandboxes, each a container of the host. */
export function provideContainers(host: ContainerHost, swarm: string): SandboxProvider {
  const carry = openCarrier(host);
  return {
    name: "docker",
    isolation: "docker",
    chargesWhileIdle: false,
    unenforced: host.unenforced,
    async open(spec) {
      const askedAt = performance.now();
      const limits = { ...DEFAULT_SANDBOX_LIMITS, ...spec.limits };
      const { contents, files } = await carry(spec.mounts ?? []);
      const container = await host.open({ labels: spec.labels, limits, contents });
      try {
        if (files.length > 0) await container.putFiles(packFiles(files));
      } catch (error) {
        await container.terminate();
        throw error;
      }
      const readyMs = performance.now() - askedAt;
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
