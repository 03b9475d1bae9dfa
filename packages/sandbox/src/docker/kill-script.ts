/**
 * Programs of the shell that run inside as the guest's user and fork nothing, since there may be no room for one more
 * process. `end` stops and kills one process with all below it; `sweep` does so with all below one but the second.
 */
const FUNCTIONS = `
end() {
  local list kids one
  kill -STOP "$1" 2>/dev/null || return 0
  for list in /proc/$1/task/*/children; do
    kids=
    { read -r kids < "$list"; } 2>/dev/null
    for one in $kids; do end "$one"; done
  done
  kill -KILL "$1" 2>/dev/null
}
sweep() {
  local list kids one
  for list in /proc/$1/task/*/children; do
    kids=
    { read -r kids < "$list"; } 2>/dev/null
    for one in $kids; do [ "$one" = "$2" ] || end "$one"; done
  done
}`;

/**
 * Kills the program that carries a mark. What has left its parent belongs to the marked one still, which takes over
 * its orphans; what was left to the container's first process is nobody's any more and is killed too, all but the
 * idle one. A guest that fights this keeps nothing by it, since whoever calls this ends the container then.
 */
const KILL_MARKED = `${FUNCTIONS}
for file in /proc/[0-9]*/environ; do
  marks=
  { read -r marks < "$file"; } 2>/dev/null
  case $marks in *"SWARM_EXEC=$1"*) ;; *) continue ;; esac
  pid=\${file#/proc/}
  pid=\${pid%/environ}
  while read -r name value; do
    if [ "$name" = PPid: ] && [ "$value" = 0 ]; then
      kill -STOP "$pid"
      for pass in 1 2 3; do sweep "$pid"; done
      kill -KILL "$pid"
    fi
  done < "/proc/$pid/status"
done 2>/dev/null
read -r idle rest < /proc/1/task/1/children
for pass in 1 2 3; do sweep 1 "$idle"; done
exit 0`;

/** Runs a program and then kills whatever it has left running, which would hold its output open. */
const RUN_AND_SWEEP = `${FUNCTIONS}
"$@"
code=$?
for pass in 1 2; do sweep "$PPID" "$$"; done
exit $code`;

/** The program that kills the one that was started with this mark. */
export function killArgv(mark: string): string[] {
  return ["/bin/sh", "-c", KILL_MARKED, "sh", mark];
}

/** The engine's own init takes over the program's orphans, so that a kill finds them. */
export function guardedArgv(argv: readonly string[]): string[] {
  return ["/sbin/docker-init", "-s", "--", "/bin/sh", "-c", RUN_AND_SWEEP, "sh", ...argv];
}

/** What a program's environment of outside carries its mark in; its own, and that of all it starts, does not. */
export function markOf(mark: string): string {
  return `SWARM_EXEC=${mark}`;
}
