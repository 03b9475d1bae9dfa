import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { maskCredential, originAddress, runGit, safeGit } from "@agentswarm/git";
import { seedOrigin } from "../local/origin.ts";
import type { DoctorSettings } from "./config.ts";

/** The newest commit of the target's trunk, without its history, in a repository of the doctor's own. */
export interface Target extends AsyncDisposable {
  /** A bare repository. */
  readonly dir: string;
  /** A commit without parents of the trunk's tree. */
  readonly commit: string;
  /** The trunk's own commit, and its branch. */
  readonly head: string;
  readonly trunk: string;
  /** Reads a file of the trunk; null when there is none. */
  readFile(path: string): Promise<string | null>;
}

const DEADLINE_MS = 60_000;

/**
 * Fetches the newest commit of the trunk. Before the first start that is the folder or checkout that will seed the
 * origin. Null when the target has no commit yet. Throws what git says, without credentials.
 */
export async function openTarget(settings: DoctorSettings): Promise<Target | null> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "swarm-doctor-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const own = resolve(settings.SWARM_HOME, "origin.git");
  const source =
    settings.GIT_REPO_URL ??
    (existsSync(join(own, "HEAD")) ? own : await seedOrigin(settings.TARGET_REPO_PATH, home, () => false));
  const { url, credential } = originAddress(
    source,
    settings.GIT_WRITE_CREDENTIAL ?? settings.GIT_READ_CREDENTIAL,
  );
  const dir = join(home, "target.git");
  const fetchTrunk = async (): Promise<string | null> => {
    await safeGit({ cwd: home }, (git) => git.raw(["init", "-q", "--bare", dir]));
    const options = { cwd: dir, credential, timeoutMs: DEADLINE_MS };
    const listed = await safeGit(options, (git) => git.listRemote(["--symref", "--", url, "HEAD"]));
    const branch = settings.TRUNK ?? /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(listed.value)?.[1];
    if (branch === undefined) return null;
    const wanted = `+refs/heads/${branch}:refs/heads/trunk`;
    await safeGit(options, (git) => git.fetch(["--depth=1", "--no-tags", "--", url, wanted]));
    return branch;
  };
  const trunk = await fetchTrunk().catch((error: unknown) => {
    throw new Error(maskCredential((error as Error).message, credential), { cause: error });
  });
  if (trunk === null) return null;
  const read = async (...args: string[]) => (await runGit(args, { cwd: dir })).stdout.trim();
  const head = await read("rev-parse", "refs/heads/trunk");
  const identity = { NAME: "swarm doctor", EMAIL: "swarm@agentswarm.invalid" };
  const env = Object.fromEntries(
    ["AUTHOR", "COMMITTER"].flatMap((who) =>
      Object.entries(identity).map(([what, value]) => [`GIT_${who}_${what}`, value]),
    ),
  );
  const tree = await read("rev-parse", "refs/heads/trunk^{tree}");
  const made = await runGit(["commit-tree", "-m", "The trunk", tree], { cwd: dir, env });
  const commit = made.stdout.trim();
  const disposal = stack.move();
  return {
    dir,
    commit,
    head,
    trunk,
    async readFile(path) {
      const shown = await runGit(["cat-file", "-p", `${commit}:${path}`], { cwd: dir, answers: [128] });
      return shown.exitCode === 0 ? shown.stdout : null;
    },
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}
