import { PRINT_FIGURES } from "../cgroup-figures.ts";

/** The user that programs run as inside. */
export interface Guest {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Prepares the folders of a new sandbox and prints, one per line: the work folder, a folder for process groups that the
 * guest cannot read, the guest's home, the image's PATH and the user's number; then what the kernel counted so far. The
 * work folder is sticky, so that the guest cannot remove the copied files.
 */
export const PREPARE = `set -e
umask 022
groups=$(mktemp -d)
home=$(mktemp -d)
chmod 1777 . "$home"
printf '%s\\n' "$(pwd -P)" "$groups" "$home" "$PATH" "$(id -u)"
${PRINT_FIGURES.join(" ")} || true`;

/** Starts the program in a process group of its own, and passes its exit code on. */
const APART = `setsid "$@"; exit $?`;

/** Writes the process group into a file, then executes the program. Arguments: file, folder, program. */
const START = `echo $$ > "$1" && cd -- "$2" || exit 126
shift 2
exec "$@"`;

/** Kills the process group in a file; waits for the file, which may not be written yet. */
export const KILL = `tries=0
while [ ! -s "$1" ] && [ $tries -lt 100 ]; do sleep 0.02; tries=$((tries+1)); done
kill -s KILL -- "-$(cat "$1")"`;

/** Unpacks a folder from stdin; only its owner can write to it. */
export const PUT_FOLDER = `set -e
umask 022
mkdir -p -- "$1"
tar -xz --no-same-owner --no-same-permissions -C "$1"
chmod -R a+rX,go-w -- "$1"`;

export const PUT_FILE = `set -e
umask 022
mkdir -p -- "$(dirname -- "$1")"
cat > "$1"
chmod a+r,go-w -- "$1"`;

export interface Start {
  /** The file that the process group is written into. */
  readonly groupFile: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Null runs the program as the user of the image. */
  readonly guest: Guest | null;
  readonly argv: readonly string[];
}

/** Returns the command that starts a program in a session of its own, as the guest, without the image's environment. */
export function startCommand({ groupFile, cwd, env, guest, argv }: Start): string[] {
  const asGuest =
    guest === null
      ? []
      : [
          "setpriv",
          `--reuid=${guest.uid}`,
          `--regid=${guest.gid}`,
          "--clear-groups",
          "--inh-caps=-all",
          "--no-new-privs",
        ];
  const vars = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const start = ["sh", "-c", APART, "sh", "sh", "-c", START, "sh", groupFile, cwd];
  return [...start, ...asGuest, "env", "-i", ...vars, ...argv];
}
