import { DEFAULT_REPO } from "@agentswarm/contracts";
import type { QueueConnection, Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { SetAside } from "./ledger/ledger-reader.ts";
import { ledgerBase } from "./ledger/stored-ledger.ts";

/**
 * Tells about records of the ledger that cannot be read: once for each record in this process, as an error in the log, and
 * as a held task or feature with the reason where people look. The others go on.
 */
export function reportSetAside(
  log: Logger,
  connection: QueueConnection,
  sender: Sender,
): (what: SetAside) => void {
  const told = new Set<string>();
  const show = async ({ featureId, taskId, why }: SetAside) => {
    const base = ledgerBase(connection, featureId);
    const reason = `set aside: the planner cannot read its record (docs/operations.md). ${why}`.slice(
      0,
      2_000,
    );
    const about = { repoId: DEFAULT_REPO, featureId };
    if (taskId === null) {
      const ledgerVersion = await connection.redis.hincrby(`${base}:head`, "revision", 1);
      const counts = { total: 0, landed: 0, ready: 0, underWay: 0, failed: 0, held: 0 };
      const data = {
        status: "held" as const,
        reason,
        costUsd: 0,
        tokens: 0,
        finishedAt: null,
        forecast: null,
        revert: null,
        counts,
      };
      const id = `feature-set-aside-${featureId}-${ledgerVersion}`;
      return sender.event({ id, type: "feature.changed", ...about, ledgerVersion, data });
    }
    const ledgerVersion = await connection.redis.hincrby(`${base}:versions`, taskId, 1);
    const data = { status: "held" as const, reason, round: 0, attemptsUsed: 0, supersededBy: null };
    const id = `task-set-aside-${taskId}-${ledgerVersion}`;
    return sender.event({ id, type: "task.changed", ...about, taskId, ledgerVersion, data });
  };
  return (what) => {
    const name = `${what.featureId}/${what.taskId ?? ""}`;
    if (told.has(name)) return;
    told.add(name);
    log.error(what, "A RECORD OF THE LEDGER CANNOT BE READ and is set aside; everything else goes on");
    void show(what).catch((error: unknown) => connection.report(error as Error));
  };
}
