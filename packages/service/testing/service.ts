import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { baseSettings, runService } from "../src/index.ts";

/** A service whose one argument names its behaviour; its log shows each step. */
const behaviour = process.argv[2];
const settings = z.object({
  ...baseSettings,
  WORKERS: z.coerce.number().int().min(1).max(100).default(4).describe("Attempts at once"),
  ORIGIN: z.string({ error: "name the repository to land on" }),
  SOME_API_KEY: z.string().min(20).optional(),
});

await runService("test", settings, async ({ env, log, stack, signal }) => {
  const keepAlive = setInterval(() => undefined, 1_000);
  stack.defer(() => clearInterval(keepAlive));
  stack.defer(() => log.info("disposed first opened"));
  stack.defer(async () => {
    if (behaviour === "hang") await sleep(60_000);
    if (behaviour === "slow") await sleep(300);
    if (behaviour === "throw") throw new Error("cannot dispose");
    log.info("disposed last opened");
  });
  signal.addEventListener("abort", () => log.info("signal aborted"));
  log.child({ featureId: "f-1", taskId: "t-1", attempt: 2 }).info({ key: env["SOME_API_KEY"] }, "with ids");
  if (behaviour === "fail") throw new Error("no such thing");
  if (behaviour === "start-slowly") {
    log.info("starting");
    await sleep(60_000, undefined, { signal });
  }
});
