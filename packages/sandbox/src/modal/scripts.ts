import { READ_USE } from "./read-use.ts";

/** Whom the guest's programs run as inside; null leaves them as they are started. */
export interface Guest {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a new sandbox ready and says where things lie in it: the work folder, a folder for notes that the guest cannot
 * read, the guest's home, the image's own PATH, and the user's number; then what was counted up to now. Whoever may write into the work folder cannot remove what others
 * have put there.
 */
export const PREPARE = `set -e
umask 022
notes=$(mktemp -d)
home=$(mktemp -d)
chmod 1777 . "$home"
printf '%s\\n' "$(pwd -P)" "$notes" "$home" "$PATH" "$(id -u)"
${READ_USE}`;

/** Whatever group it is started in itself, the program gets one of its own, and its exit code is passed on. */
const APART = `setsid "$@"; exit $?`;

/** Notes the process group, then becomes the program. Arguments: note, folder, program. */
const START = `echo $$ > "$1" && cd -- "$2" || exit 126
shift 2
exec "$@"`;

/** Kills a noted process group; the note may not be written yet. */
export const KILL = `tries=0
while [ ! -s "$1" ] && [ $tries -lt 100 ]; do sleep 0.02; tries=$((tries+1)); done
kill -s KILL -- "-$(cat "$1")"`;

/** Unpacks a folder from stdin: nobody but its owner may write there. */
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
  readonly note: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly guest: Guest | null;
  readonly argv: readonly string[];
}

/** The command that starts a program in a session of its own, as the guest, with an environment built from empty. */
export function startCommand({ note, cwd, env, guest, argv }: Start): string[] {
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
  const start = ["sh", "-c", APART, "sh", "sh", "-c", START, "sh", note, cwd];
  return [...start, ...asGuest, "env", "-i", ...vars, ...argv];
}
