import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ModalSettings } from "../../src/settings.ts";
import type { FakeRequest } from "./main.ts";
import type { Opened } from "./world.ts";

/** The calls of the fake so far. */
export interface FakeReport {
  readonly calls: Record<string, number>;
  readonly opened: Opened[];
}

export interface FakeModal extends AsyncDisposable {
  readonly url: string;
  readonly settings: ModalSettings;
  ask(request?: FakeRequest): Promise<FakeReport>;
}

/**
 * Starts a service that speaks Modal's protocol to Modal's SDK, and runs programs as processes of this machine: nothing is
 * isolated, limited or built. It ends with everything it started when this process ends.
 * `rootless`: `id -u` does not print root, as in an image with a user of its own.
 */
export async function startFakeModal(options: { rootless?: boolean } = {}): Promise<FakeModal> {
  const child = fork(join(import.meta.dirname, "main.ts"), {
    execArgv: [],
    env: { ...process.env, FAKE_MODAL_ROOTLESS: String(options.rootless ?? false) },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    settings: {
      MODAL_TOKEN_ID: "ak-fake",
      MODAL_TOKEN_SECRET: "as-fake",
      MODAL_APP: "suite",
      MODAL_IMAGE: "node:24-bookworm-slim",
      MODAL_CPU: 0.5,
      MODAL_MEMORY_MIB: 1_024,
    },
    async ask(request = { kind: "report" }) {
      const report = once(child, "message") as Promise<[FakeReport]>;
      child.send(request);
      return (await report)[0];
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
