import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { startFakeModal } from "../../testing/fake-modal/start-fake-modal.ts";
import { describeProvider } from "../../testing/provider-suite.ts";
import { openModalProvider } from "./modal-provider.ts";

const fake = await startFakeModal();
process.env["MODAL_SERVER_URL"] = fake.url;
const home = await mkdtemp(join(tmpdir(), "swarm-modal-"));
afterAll(async () => {
  await fake[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

describeProvider(
  "modal, with its SDK and a fake service without isolation and limits",
  async () => ({
    ...(await openModalProvider({ home, swarm: "suite", settings: fake.settings, guest: null })),
    unenforced: ["memoryBytes", "pids", "cpus"],
  }),
  { isolated: false },
);
