import type { SandboxFigures, SandboxProvider } from "@agentswarm/sandbox";
import { provideContainers, type Container, type ContainerHost } from "@agentswarm/sandbox/containers";
import { figuresSchema, hostSchema, listSchema, openedSchema } from "../protocol.ts";
import { connectBroker, type BrokerAddress, type Connection } from "./connection.ts";
import { joinProgram } from "./join-program.ts";

export interface BrokerProviderOptions extends BrokerAddress {
  readonly swarm: string;
}

/** Sandboxes by way of a broker. Throws Fault `sandbox.unavailable` (retryable) when it does not answer. */
export async function openBrokerProvider(options: BrokerProviderOptions): Promise<SandboxProvider> {
  let connecting = connectBroker(options);
  // A connection that broke took its sandboxes with it; the next one gets new ones.
  const connected = async () => {
    const current = await connecting.catch(() => null);
    if (current === null || current.closed()) connecting = connectBroker(options);
    return connecting;
  };
  const { unenforced } = await (await connecting).ask("GET", "/host", { schema: hostSchema });
  const host: ContainerHost = {
    unenforced,
    hasContent: async (key) => (await connected()).tell("GET", `/contents/${key}`),
    putContent: async (key, tar) => void (await (await connected()).tell("PUT", `/contents/${key}`, tar)),
    async open(order) {
      const connection = await connected();
      const { id } = await connection.ask("POST", "/containers", { schema: openedSchema, body: order });
      return attend(connection, id);
    },
    async list(swarm) {
      const found = await (
        await connected()
      ).ask("GET", `/containers?swarm=${swarm}`, { schema: listSchema });
      return found.map(({ labels: { task, attempt, ...labels }, ...info }) => ({
        ...info,
        labels: {
          ...labels,
          ...(task === undefined ? {} : { task }),
          ...(attempt === undefined ? {} : { attempt }),
        },
      }));
    },
    terminate: async (id) => void (await (await connected()).tell("DELETE", `/containers/${id}`)),
  };
  return provideContainers(host, options.swarm);
}

const NOTHING: SandboxFigures = {
  readyMs: 0,
  cpuMs: null,
  memoryPeakBytes: null,
  bytesIn: 0,
  bytesOut: 0,
  costUsd: 0,
};

function attend(connection: Connection, id: string): Container {
  let last = NOTHING;
  let ended: Promise<void> | undefined;
  const end = async () => {
    try {
      last = await connection.ask("POST", `/containers/${id}/end`, { schema: figuresSchema });
    } catch (error) {
      // With the connection the broker ends it by itself.
      if (!connection.closed()) throw error;
    }
  };
  return {
    id,
    exec: (argv, options) => joinProgram(connection, id, argv, options),
    putFiles: async (tar) => void (await connection.tell("PUT", `/containers/${id}/files`, tar)),
    async figures() {
      if (ended === undefined)
        last = await connection.ask("GET", `/containers/${id}/figures`, { schema: figuresSchema });
      return last;
    },
    terminate: () => (ended ??= end()),
  };
}
