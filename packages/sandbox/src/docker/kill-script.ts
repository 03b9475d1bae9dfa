/**
 * Shell functions that run inside as the guest's user. They fork nothing, because the limit of processes may be reached.
 * `end` stops and kills a process with all its descendants; `sweep` does so with the children of the first process,
 * except the second one.
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
 * Kills the program that carries a mark. Processes that left their parent are still children of the marked process, which
 * adopts its orphans. Orphans that the container's first process adopted are killed too, except the idle process. When a
 * guest prevents this, the caller kills the whole container.
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

/** Runs a program and then kills the processes it left running, which would hold its output open. */
const RUN_AND_SWEEP = `${FUNCTIONS}
"$@"
code=$?
for pass in 1 2; do sweep "$PPID" "$$"; done
exit $code`;

/** Returns the command that kills the program with this mark. */
export function killArgv(mark: string): string[] {
  return ["/bin/sh", "-c", KILL_MARKED, "sh", mark];
}

/** Wraps a command with the engine's init, which adopts the program's orphans, so that a kill finds them. */
export function guardedArgv(argv: readonly string[]): string[] {
  return ["/sbin/docker-init", "-s", "--", "/bin/sh", "-c", RUN_AND_SWEEP, "sh", ...argv];
}

/** Returns the variable that holds a program's mark. Only the wrapping init has it, not the program itself. */
export function markOf(mark: string): string {
  return `SWARM_EXEC=${mark}`;
}
