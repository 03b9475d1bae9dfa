import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { asFault } from "@agentswarm/contracts";
import { closeHome } from "./close-home.ts";
import type { Environment } from "./environment.ts";
import { createLogger, type Logger } from "./logger.ts";
import { parseEnv } from "./parse-env.ts";
import { secretsOf } from "./secrets.ts";
import { showHealth } from "./show-health.ts";

/** The context that a service's `start` receives. */
export interface ServiceContext<Settings> {
  readonly settings: Settings;
  /** The process's environment, for settings that name another variable, such as `keyVar` in LLM_BACKENDS. */
  readonly env: Environment;
  readonly log: Logger;
  /** Resources on this stack are disposed in reverse order when the service stops. */
  readonly stack: AsyncDisposableStack;
  /** Aborted at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

interface BaseSettings {
  readonly SWARM_HOME?: string;
  readonly LOG_LEVEL: string;
  readonly LOG_FORMAT?: "json" | "pretty" | undefined;
  readonly HEALTH_FILE?: string | undefined;
  readonly GRACE_MS: number;
}

/**
 * Runs a service until SIGTERM or SIGINT: reads its settings, calls `start`, and at the signal disposes the stack in
 * reverse order within GRACE_MS milliseconds. Exits 0 after an orderly stop; 1 after a second signal, a stop that takes
 * longer than GRACE_MS, or a failed start. (The lifecycle of graphile/worker's runner, with an AsyncDisposableStack.)
 */
export async function runService<S extends z.ZodType<BaseSettings>>(
  name: string,
  schema: S,
  start: (ctx: ServiceContext<z.infer<S>>) => Promise<void>,
): Promise<void> {
  const { env } = process;
  let settings: z.infer<S>;
  try {
    settings = parseEnv(schema, env);
  } catch (error) {
    process.stderr.write(`${name}: ${asFault(error).message}\n`);
    process.exit(1);
  }
  const log = createLogger({
    service: name,
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
    secrets: secretsOf(env),
  });
  const stack = new AsyncDisposableStack();
  const { stopping, signalled } = listenForSignals();
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "unhandled rejection"));
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "uncaught exception");
    process.exit(1);
  });

  const open = async (ctx: ServiceContext<z.infer<S>>) => {
    if (settings.SWARM_HOME !== undefined) await closeHome(settings.SWARM_HOME);
    await start(ctx);
  };
  const starting = open({ settings, env, log, stack, signal: stopping }).then(
    () => "started" as const,
    (error: unknown) => {
      // A start that the signal aborted may reject; that is an orderly stop.
      if (stopping.aborted) return "stopped" as const;
      log.fatal({ err: error }, "could not start");
      return "failed" as const;
    },
  );
  if ((await Promise.race([starting, signalled])) === "failed") {
    await within(settings.GRACE_MS, stack.disposeAsync()).catch(() => undefined);
    process.exit(1);
  }
  if (!stopping.aborted) {
    if (settings.HEALTH_FILE !== undefined) stack.use(showHealth(settings.HEALTH_FILE));
    log.info("started");
  }

  log.info({ signal: await signalled }, "stopping");
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

function listenForSignals(): { stopping: AbortSignal; signalled: Promise<NodeJS.Signals> } {
  const stopping = new AbortController();
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (stopping.signal.aborted) process.exit(1);
        stopping.abort("shutdown");
        resolve(signal);
      });
    }
  });
  return { stopping: stopping.signal, signalled };
}

function within<T>(ms: number, work: Promise<T>): Promise<T | "overrun"> {
  return Promise.race([work, sleep(ms, "overrun" as const)]);
}
