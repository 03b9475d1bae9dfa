import { toLabels, type SandboxFigures, type SandboxProvider } from "@agentswarm/sandbox";
import { provideContainers, type Container, type ContainerHost } from "@agentswarm/sandbox/containers";
import { figuresSchema, hostSchema, listSchema, openedSchema } from "../protocol.ts";
import { connectBroker, type BrokerAddress, type Connection } from "./connection.ts";
import { startProgram } from "./start-program.ts";

export interface BrokerProviderOptions extends BrokerAddress {
  readonly swarm: string;
}

/** Opens the provider of a broker's sandboxes. Throws Fault `sandbox.unavailable` (retryable) when it does not answer. */
export async function openBrokerProvider(options: BrokerProviderOptions): Promise<SandboxProvider> {
  let connecting = connectBroker(options);
  // A lost connection has ended its sandboxes; new sandboxes are opened over a new connection.
  const connected = async () => {
    const current = await connecting.catch(() => null);
    if (current === null || current.closed()) connecting = connectBroker(options);
    return connecting;
  };
  const { unenforced } = await (await connecting).request("GET", "/host", { schema: hostSchema });
  const host: ContainerHost = {
    unenforced,
    hasContent: async (key) => (await connected()).send("GET", `/contents/${key}`),
    putContent: async (key, tar) => void (await (await connected()).send("PUT", `/contents/${key}`, tar)),
    async open(order) {
      const connection = await connected();
      const { id } = await connection.request("POST", "/containers", { schema: openedSchema, body: order });
      return trackContainer(connection, id);
    },
    async list(swarm) {
      const found = await (
        await connected()
      ).request("GET", `/containers?swarm=${swarm}`, { schema: listSchema });
      return found.map((info) => ({ ...info, labels: toLabels(info.labels) }));
    },
    terminate: async (id) => void (await (await connected()).send("DELETE", `/containers/${id}`)),
  };
  return provideContainers(host, options.swarm);
}

/** The figures of a sandbox whose connection was lost before they were read. */
const NO_FIGURES: SandboxFigures = {
  readyMs: 0,
  cpuMs: null,
  memoryPeakBytes: null,
  bytesIn: 0,
  bytesOut: 0,
  costUsd: 0,
};

function trackContainer(connection: Connection, id: string): Container {
  let last = NO_FIGURES;
  let ended: Promise<void> | undefined;
  const end = async () => {
    try {
      last = await connection.request("POST", `/containers/${id}/end`, { schema: figuresSchema });
    } catch (error) {
      // The broker ends the container of a lost connection by itself.
      if (!connection.closed()) throw error;
    }
  };
  return {
    id,
    exec: (argv, options) => startProgram(connection, id, argv, options),
    putFiles: async (tar) => void (await connection.send("PUT", `/containers/${id}/files`, tar)),
    async figures() {
      if (ended === undefined)
        last = await connection.request("GET", `/containers/${id}/figures`, { schema: figuresSchema });
      return last;
    },
    terminate: () => (ended ??= end()),
  };
}
