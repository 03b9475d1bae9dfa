import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * A TCP proxy that can fall silent, like a firewall that drops packets: open connections stay open and get no more
 * bytes, new ones are accepted and get none. `heal` lets new connections through; the old ones stay silent.
 */
export async function openSilentProxy(target: URL) {
  let silent = false;
  let refusing = false;
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined).on("close", () => sockets.delete(client));
    if (refusing) return client.resetAndDestroy();
    if (silent) return client.resume();
    const upstream = connect(Number(target.port), target.hostname);
    sockets.add(upstream);
    upstreams.add(upstream);
    upstream
      .on("error", () => client.destroy())
      .on("close", () => (sockets.delete(upstream), upstreams.delete(upstream), client.destroy()));
    client.on("close", () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${port}`,
    silence() {
      silent = true;
      for (const socket of sockets) socket.unpipe().resume();
    },
    /** Requests arrive, and no answer comes back. */
    swallowAnswers() {
      for (const upstream of upstreams) upstream.unpipe().resume();
    },
    /** Closes every connection; new ones work. */
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    /** Resets every connection, and new ones too until `heal`. */
    refuse() {
      refusing = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    heal() {
      silent = false;
      refusing = false;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
