import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { Fault } from "@agentswarm/contracts";
import { TEXT_LIMITS } from "../content-limits.ts";
import { overrunOf } from "../git-environment.ts";
import { gitCommand } from "../run-git.ts";

/** An exit code up to this is the number of conflicts. */
const MAX_CONFLICTS = 127;

/**
 * Merges one text file by `git merge-file`. Null: the sides conflict, or git needs more memory or time than TEXT_LIMITS
 * allow. The sides are passed as files, because `merge-file`
 * takes object ids only from git 2.43 on.
 */
export async function mergeFile(base: Buffer, ours: Buffer, theirs: Buffer): Promise<Buffer | null> {
  const dir = await mkdtemp(join(tmpdir(), "swarm-merge-"));
  try {
    await Promise.all([
      writeFile(join(dir, "ours"), ours),
      writeFile(join(dir, "base"), base),
      writeFile(join(dir, "theirs"), theirs),
    ]);
    return await run(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function run(dir: string): Promise<Buffer | null> {
  // Without --quiet, which would hide the reason of a failure too.
  const { command, args, env } = gitCommand(
    ["merge-file", "--stdout", "ours", "base", "theirs"],
    {},
    TEXT_LIMITS.git,
  );
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | null>();
  const child = spawn(command, args, { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2_000)));
  child.on("error", (cause) =>
    reject(new Fault("git.failed", `git merge-file: ${cause.message}`, { cause })),
  );
  child.on("close", (code, killedBy) => {
    if (code === 0) resolve(Buffer.concat(chunks));
    else if (code !== null && code <= MAX_CONFLICTS) resolve(null);
    else if (overrunOf(TEXT_LIMITS.git, killedBy, stderr) !== null) resolve(null);
    else {
      // A signal that no limit sends: the machine ended it, so a retry may succeed.
      const retryable = killedBy !== null;
      reject(
        new Fault("git.failed", `git merge-file (${killedBy ?? code}): ${stderr.trim()}`, { retryable }),
      );
    }
  });
  return promise;
}
