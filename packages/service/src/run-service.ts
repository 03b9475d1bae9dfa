import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import { createLogger, type Logger } from "./logger.ts";
import { parseEnv } from "./parse-env.ts";
import { secretsOf } from "./secrets.ts";
import { showHealth } from "./show-health.ts";

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
  readonly HEALTH_FILE?: string | undefined;
  readonly GRACE_MS: number;
}

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
  const log = createLogger({
    service: name,
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
    secrets: secretsOf(process.env),
  });
  const stack = new AsyncDisposableStack();
  const { stopping, asked } = onFirstSignal();
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "unhandled rejection"));
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "uncaught exception");
    process.exit(1);
  });

  const starting = start({ settings, log, stack, signal: stopping }).then(
    () => "started" as const,
    (error: unknown) => {
      // A start that was told to stop may well fail over it.
      if (stopping.aborted) return "stopped" as const;
      log.fatal({ err: error }, "could not start");
      return "failed" as const;
    },
  );
  if ((await Promise.race([starting, asked])) === "failed") {
    await within(settings.GRACE_MS, stack.disposeAsync()).catch(() => undefined);
    process.exit(1);
  }
  if (!stopping.aborted) {
    if (settings.HEALTH_FILE !== undefined) stack.use(showHealth(settings.HEALTH_FILE));
    log.info("started");
  }

  log.info({ signal: await asked }, "stopping");
  const stop = async () => {
    await starting;
    await stack.disposeAsync();
    return "disposed" as const;
  };
  const ended = await within(settings.GRACE_MS, stop()).catch((error: unknown) => {
    log.error({ err: error }, "stopping failed");
    return "failed" as const;
  });
  log.info({ ended }, "stopped");
  process.exit(ended === "disposed" ? 0 : 1);
}

function onFirstSignal(): { stopping: AbortSignal; asked: Promise<NodeJS.Signals> } {
  const stopping = new AbortController();
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (stopping.signal.aborted) process.exit(1);
        stopping.abort("shutdown");
        resolve(signal);
      });
    }
  });
  return { stopping: stopping.signal, asked };
}

function within<T>(ms: number, work: Promise<T>): Promise<T | "overrun"> {
  return Promise.race([work, sleep(ms, "overrun" as const)]);
}
