import { request } from "node:http";

/** Sends a path and headers unchanged: `fetch` sets Host by itself and resolves dots in paths. */
export function statusFor(url: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const { hostname, port } = new URL(url);
  const asking = request({ hostname, port, path, headers }, (answer) => {
    answer.resume();
    resolve(answer.statusCode ?? 0);
  });
  asking.on("error", reject);
  asking.end();
  return promise;
}
