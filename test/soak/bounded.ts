import type { Sample } from "./sample.ts";

/** Memory of one service may grow by so much from the second third of a soak to its last. */
const GROWTH = 1.5;
const GROWTH_MIB = 80;
const LAG_MS = 1_000;

/** What grew from the second third to the last; the first is the start, before caches and compiled code are warm. */
export function growth(samples: readonly Sample[]): string[] {
  const third = Math.floor(samples.length / 3);
  if (third < 3) return [];
  const before = mediansOf(samples.slice(third, 2 * third).map(({ rssMib }) => rssMib));
  const after = mediansOf(samples.slice(2 * third).map(({ rssMib }) => rssMib));
  return [...after].flatMap(([name, mib]) => {
    const was = before.get(name) ?? 0;
    return mib > was * GROWTH + GROWTH_MIB ? [`${name} grew from ${was} to ${mib} MiB`] : [];
  });
}

/** What keeps its event loop from turning in the last third of a soak, beyond what the machine does to the soak itself. */
export function lag(samples: readonly Sample[]): string[] {
  const lags = mediansOf(samples.slice(-Math.ceil(samples.length / 3)).map(({ lagMs }) => lagMs));
  const limit = LAG_MS + 2 * (lags.get("soak") ?? 0);
  return [...lags].flatMap(([name, ms]) =>
    ms > limit && name !== "soak" ? [`the event loop of ${name} pauses for ${ms} ms; at most ${limit}`] : [],
  );
}

/** The median by name; medians, because services are suspended and restarted. */
export function mediansOf(records: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  return new Map(
    Array.from(names, (name) => {
      const values = records.flatMap((record) => record[name] ?? []).toSorted((a, b) => a - b);
      return [name, values[Math.floor(values.length / 2)] ?? 0];
    }),
  );
}
