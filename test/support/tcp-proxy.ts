import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A slow network: what is sent at once arrives in up to `slices` pieces, each up to `latencyMs` after the one before. */
export interface SlowNetwork {
  readonly latencyMs: number;
  readonly slices: number;
  /** Gives numbers in [0, 1); a seeded one makes a failing run repeatable. */
  readonly random: () => number;
}

/** One connection through the proxy. */
interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Whether requests or answers are thrown away instead of passed on. */
  readonly drops: { requests: boolean; answers: boolean };
}

export type TcpProxy = Awaited<ReturnType<typeof openTcpProxy>>;

/** A TCP proxy in front of Redis that behaves like a bad network: silent, cut, resetting or slow. */
export async function openTcpProxy(target: URL) {
  let silent = false;
  let refusing = false;
  let slow: SlowNetwork | null = null;
  const links = new Set<Link>();

  async function* carry(chunks: AsyncIterable<Buffer>, isDropped: () => boolean): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        const network: SlowNetwork | null = slow;
        const most = network === null ? chunk.length : Math.ceil(chunk.length / network.slices);
        if (network !== null) await sleep(network.random() * network.latencyMs);
        // The time may have made it silent.
        if (!isDropped()) yield chunk.subarray(at, at + most);
        at += most;
      }
    }
  }

  const listener = createServer((client) => {
    if (refusing) return client.resetAndDestroy();
    const server = connect(Number(target.port), target.hostname);
    // Without a delay, so that slices arrive as packets of their own.
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", () => undefined);
    const link: Link = { client, server, drops: { requests: silent, answers: silent } };
    links.add(link);
    const passed = [
      pipeline(client, (chunks) => carry(chunks, () => link.drops.requests), server),
      pipeline(server, (chunks) => carry(chunks, () => link.drops.answers), client),
    ];
    void Promise.allSettled(passed).then(() => links.delete(link));
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${port}`,
    /**
     * Like a firewall that drops packets: open connections stay open and get no more bytes, new ones are accepted and get
     * none. `heal` lets new connections through; the old ones stay silent.
     */
    silence() {
      silent = true;
      for (const { drops } of links) Object.assign(drops, { requests: true, answers: true });
    },
    /** Requests arrive, and no answer comes back. */
    swallowAnswers() {
      for (const { drops } of links) drops.answers = true;
    },
    /** Closes every connection; new ones work. */
    cut() {
      for (const { client, server } of links) for (const socket of [client, server]) socket.destroy();
    },
    /** Resets every connection, and new ones too until `heal`. */
    refuse() {
      refusing = true;
      for (const { client, server } of links) {
        client.resetAndDestroy();
        server.destroy();
      }
    },
    /** Slows every connection until `heal`. */
    slowDown(network: SlowNetwork) {
      slow = network;
    },
    heal() {
      silent = false;
      refusing = false;
      slow = null;
    },
    async [Symbol.asyncDispose]() {
      this.cut();
      listener.close();
      await once(listener, "close");
    },
  };
}
