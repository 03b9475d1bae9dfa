import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describeProcess, isRunning, type Owner } from "@agentswarm/sandbox";

const WAIT_MS = 100;

/**
 * A lock by a file, which all processes of this machine respect. It is taken over when the very process that took it
 * is gone: a service that is killed and started again in a container often has the number it had before.
 */
export async function waitForTurn(file: string): Promise<AsyncDisposable> {
  const mine = `${file}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(describeProcess(process.pid)));
  try {
    for (;;) {
      try {
        // The file appears with its content or not at all.
        await link(mine, file);
        return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = await readOwner(file);
      if (owner === "unknown" || (owner !== null && !isRunning(owner))) await rm(file, { force: true });
      else await sleep(WAIT_MS);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Null: it has just been let go. */
async function readOwner(file: string): Promise<Owner | "unknown" | null> {
  try {
    const owner = JSON.parse(await readFile(file, "utf8")) as Owner | number;
    return typeof owner === "object" && owner !== null ? owner : "unknown";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : "unknown";
  }
}
