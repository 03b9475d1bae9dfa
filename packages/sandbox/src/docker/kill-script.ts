/**
 * Run inside, as the guest's user: stops and kills the program that carries a mark, with all it has started. What has
 * left its parent belongs to the marked one still, which took over its orphans; what the marked one left to the first
 * process when it ended is killed too, whoever's it was: with its program everything of a program ends.
 * A guest that fights this keeps nothing by it, since whoever calls this ends the container then.
 */
const KILL_SCRIPT = `
below() {
  for list in /proc/$1/task/*/children; do
    { read -r kids < "$list"; } 2>/dev/null
    printf '%s ' "$kids"
    kids=
  done
}
end() {
  local one
  kill -STOP "$1" 2>/dev/null || return
  for one in $(below "$1"); do end "$one"; done
  kill -KILL "$1" 2>/dev/null
}
for file in $(grep -l -z -x "SWARM_EXEC=$1" /proc/[0-9]*/environ 2>/dev/null); do
  pid=\${file#/proc/}; pid=\${pid%/environ}
  grep -q '^PPid:[[:space:]]*0$' "/proc/$pid/status" 2>/dev/null || continue
  kill -STOP "$pid"
  for pass in 1 2 3; do
    for one in $(below "$pid"); do end "$one"; done
  done
  kill -KILL "$pid"
done
for pass in 1 2 3; do
  set -- $(below 1)
  [ $# -gt 0 ] && shift
  for one in "$@"; do end "$one"; done
done
exit 0`;

/** The program that kills the one that was started with this mark. */
export function killArgv(mark: string): string[] {
  return ["/bin/sh", "-c", KILL_SCRIPT, "sh", mark];
}

/** What a program's environment of outside carries its mark in; its own, and that of all it starts, does not. */
export function markOf(mark: string): string {
  return `SWARM_EXEC=${mark}`;
}
