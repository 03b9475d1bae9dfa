import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, type AddressInfo, type Server } from "node:net";

/** Listens at `host:port` or at the path of a unix socket, and returns the URL for clients. */
export async function listenAt(server: Server, where: string): Promise<string> {
  const [, host, port] = /^(.*):(\d+)$/.exec(where) ?? [];
  if (host === undefined) {
    await removeStale(where);
    server.listen(where);
  } else server.listen(Number(port), host);
  await once(server, "listening");
  return host === undefined ? `unix:${where}` : `http://${host}:${(server.address() as AddressInfo).port}`;
}

/** Removes the socket file of a server that was killed. */
async function removeStale(path: string): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") await rm(path, { force: true });
  } finally {
    socket.destroy();
  }
}
