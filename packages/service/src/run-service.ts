import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import { createLogger, type Logger } from "./logger.ts";
import { parseEnv } from "./parse-env.ts";

/** What a service's `start` is given. */
export interface ServiceContext<Settings> {
  readonly settings: Settings;
  readonly log: Logger;
  /** Whatever is put here is disposed in reverse order when the service stops. */
  readonly stack: AsyncDisposableStack;
  /** Aborted when the service is asked to stop. */
  readonly signal: AbortSignal;
}

interface Common {
  readonly LOG_LEVEL: string;
  readonly LOG_FORMAT?: "json" | "pretty" | undefined;
  readonly GRACE_MS: number;
}

const SECRET_SETTINGS = /KEY|TOKEN|SECRET|PASSWORD/;

/**
 * Runs a service until SIGTERM or SIGINT: reads its settings, calls `start`, and at the signal disposes what the
 * service put on the stack, in reverse, within GRACE_MS. Exits 0 then; 1 on a second signal, an overrun or a
 * failed start. (The lifecycle of graphile/worker's runner, with the platform's own disposable stack.)
 */
export async function runService<S extends z.ZodType<Common>>(
  name: string,
  schema: S,
  start: (context: ServiceContext<z.infer<S>>) => Promise<void>,
): Promise<void> {
  let settings: z.infer<S>;
  try {
    settings = parseEnv(schema, process.env);
  } catch (error) {
    process.stderr.write(`${name}: ${Fault.from(error).message}\n`);
    process.exit(1);
  }
  const secrets = Object.entries(process.env).flatMap(([key, value]) =>
    SECRET_SETTINGS.test(key) && value ? [value] : [],
  );
  const log = createLogger({
    service: name,
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
    secrets,
  });
  const stopping = new AbortController();
  const stack = new AsyncDisposableStack();

  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (stopping.signal.aborted) process.exit(1);
        stopping.abort("shutdown");
        resolve(signal);
      });
    }
  });
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "unhandled rejection"));

  try {
    await start({ settings, log, stack, signal: stopping.signal });
  } catch (error) {
    if (!stopping.signal.aborted) {
      log.fatal({ err: error }, "could not start");
      await Promise.race([stack.disposeAsync(), sleep(settings.GRACE_MS)]).catch(() => undefined);
      process.exit(1);
    }
  }
  log.info("started");
  const signal = await asked;
  log.info({ signal }, "stopping");
  const overrun = sleep(settings.GRACE_MS, "overrun", { ref: false });
  const ended = await Promise.race([stack.disposeAsync().then(() => "disposed"), overrun]).catch(
    (error: unknown) => {
      log.error({ err: error }, "stopping failed");
      return "failed";
    },
  );
  log.info({ ended }, "stopped");
  process.exit(ended === "disposed" ? 0 : 1);
}
