import { rebuildStateSchema, type RebuildReport, type RebuildState } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import { Problem } from "./problem.ts";
import type { EventArchive } from "./project/event-archive.ts";
import { rebuildFromArchive } from "./project/rebuild-views.ts";
import { rebuildKey } from "./project/view-store.ts";

/** Rebuilds of the views that people ask for. Their state is in Redis, so that every api can answer. */
export interface Rebuilds {
  state(): Promise<RebuildState>;
  /** Begins one, and resolves while it runs. Throws Problem 409 while another one runs. */
  begin(): Promise<RebuildState>;
  /** Notes a rebuild that nobody asked for, after a wipe of Redis. */
  note(report: RebuildReport): Promise<void>;
}

const NEVER: RebuildState = { state: "never", at: null, reason: null, report: null };

export function openRebuilds(connection: QueueConnection, archive: EventArchive, log: Logger): Rebuilds {
  const { redis } = connection;
  const key = connection.key("view", "rebuild-state");
  const isRunning = async () => (await redis.exists(rebuildKey(connection))) === 1;

  const write = async (change: Partial<RebuildState>): Promise<RebuildState> => {
    const state = { ...NEVER, at: await connection.now(), ...change };
    await redis.set(key, JSON.stringify(state));
    return state;
  };
  const run = async () => {
    try {
      const report = await rebuildFromArchive(connection, archive);
      // Null: another api began one at the same moment, and reports it.
      if (report !== null) await write({ state: "done", report });
      log.info({ report }, "the views were made from the event archive");
    } catch (error) {
      log.error({ err: error }, "the views could not be made from the event archive");
      await write({ state: "failed", reason: String(error).slice(0, 2_000) });
    }
  };

  return {
    async state() {
      const text = await redis.get(key);
      const state = text === null ? NEVER : rebuildStateSchema.parse(JSON.parse(text));
      if (state.state !== "running" || (await isRunning())) return state;
      return { ...state, state: "failed", reason: "the api that made them ended; the views are as before" };
    },
    async begin() {
      if (await isRunning()) throw new Problem(409, "conflict", "the views are being rebuilt already");
      const state = await write({ state: "running" });
      void run();
      return state;
    },
    async note(report) {
      await write({ state: "done", report });
    },
  };
}
