import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ModalSettings } from "../../src/settings.ts";
import type { Order } from "./main.ts";
import type { Opened } from "./world.ts";

/** What the fake was asked so far. */
export interface Told {
  readonly calls: Record<string, number>;
  readonly opened: Opened[];
}

export interface FakeModal extends AsyncDisposable {
  readonly url: string;
  readonly settings: ModalSettings;
  tell(order?: Order): Promise<Told>;
}

/**
 * Starts a service that speaks Modal's protocol to Modal's own SDK, and runs what it is asked to as processes of this
 * machine: nothing is isolated there, limited or built. It ends with all it has started when this process does.
 * `rootless`: programs are told that they are not root, as in an image with a user of its own.
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
    async tell(order = { kind: "tell" }) {
      const answer = once(child, "message") as Promise<[Told]>;
      child.send(order);
      return (await answer)[0];
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
