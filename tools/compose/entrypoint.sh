#!/bin/sh
# Runs a program of the image by its name: a service, the broker, the recorded model, a tool, or any other command.
set -eu
# The settings that `seed` has made for this service, a file for each; one that is set otherwise wins.
for file in /run/swarm-secrets/*; do
  [ -f "$file" ] || continue
  setting=$(basename "$file")
  eval "present=\${$setting:-}"
  [ -n "$present" ] || export "$setting=$(cat "$file")"
done
name=${1:?name the program to run: planner, dispatcher, merger, reconciler, api, broker, model, seed, keys, doctor, backup, demo or swarm}
case "$name" in
  planner | dispatcher | merger | reconciler | api | broker) exec node "/app/services/$name/src/main.ts" ;;
  model) exec node /app/packages/replay/src/main.ts --scenario /app/tools/demo/scenario --host 0.0.0.0 --port 9100 ;;
  seed) exec node /app/tools/compose/seed-main.ts ;;
  doctor) shift && exec node /app/tools/doctor/main.ts "$@" ;;
  keys) exec node /app/services/api/src/keys-main.ts "$@" ;;
  backup) shift && exec node /app/tools/compose/backup-main.ts "$@" ;;
  demo) shift && exec node /app/tools/compose/demo-main.ts "$@" ;;
  swarm) shift && exec node /app/packages/cli/src/main.ts "$@" ;;
  *) exec "$@" ;;
esac
