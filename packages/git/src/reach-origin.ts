import { fileURLToPath } from "node:url";
import { asFault, classifyOriginRefusal, Fault, type FaultCode } from "@agentswarm/contracts";
import type { SimpleGit } from "simple-git";
import { maskCredential, type OriginAddress } from "./origin-address.ts";
import { safeGit, type SafeGitAnswer } from "./safe-git.ts";

const ORIGIN_TIMEOUT_MS = 60_000;

/**
 * Runs a command that talks to the origin, with its credential. A failure is Fault `origin.refused` when the origin says
 * that it refuses, `disk.full` or `machine.failed` when this machine caused it, else `origin.unreachable`; all are
 * retryable and do not contain the credential.
 */
export async function reachOrigin<T>(
  dir: string,
  { credential }: OriginAddress,
  command: (git: SimpleGit) => Promise<T>,
  answers: readonly number[] = [],
): Promise<SafeGitAnswer<T>> {
  try {
    return await safeGit({ cwd: dir, answers, credential, timeoutMs: ORIGIN_TIMEOUT_MS }, command);
  } catch (cause) {
    const fault = asFault(cause);
    const message = maskCredential(fault.message, credential);
    if (MACHINE.has(fault.code)) throw new Fault(fault.code, message, { source: fault.source });
    throw originFault(message);
  }
}

const MACHINE: ReadonlySet<FaultCode> = new Set(["disk.full", "machine.failed"]);

/** The Fault of an origin that refuses, by git's output with the fix, or that cannot be reached. */
export function originFault(why: string): Fault {
  const refused = classifyOriginRefusal(why);
  if (refused === null) return new Fault("origin.unreachable", `GIT_REPO_URL: ${why}`);
  return new Fault(refused.code, `GIT_REPO_URL: ${why}: ${refused.fix}`, { source: refused.source });
}

/** The folder of an origin that is a bare repository on this machine, or null. */
export async function findBare(url: string): Promise<string | null> {
  const path = url.startsWith("file://") ? fileURLToPath(url) : url;
  if (!path.startsWith("/")) return null;
  const answer = await safeGit({ cwd: path }, (git) => git.revparse(["--is-bare-repository"])).catch(
    () => null,
  );
  return answer?.value === "true" ? path : null;
}

/** The branch that the origin's HEAD names. */
export async function findTrunk(dir: string, origin: OriginAddress): Promise<string> {
  const { url } = origin;
  const { value } = await reachOrigin(dir, origin, (git) => git.listRemote(["--symref", "--", url, "HEAD"]));
  const trunk = /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(value)?.[1];
  if (trunk === undefined) {
    throw new Fault(
      "target.invalid",
      `GIT_REPO_URL: ${url} has no commit on its HEAD; push one, or set TRUNK`,
    );
  }
  return trunk;
}
