import { chmod, mkdir } from "node:fs/promises";

/**
 * Makes SWARM_HOME a folder of its owner alone: transcripts, bundles, logs and keys in it are for nobody else. Files
 * that belong elsewhere, such as those of an origin that others read, keep the user's own umask.
 */
export async function closeHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700).catch((error: NodeJS.ErrnoException) => {
    // The folder of another user, as a mounted volume may be: its owner has to close it.
    if (error.code !== "EPERM") throw error;
  });
}
