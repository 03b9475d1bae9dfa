export interface MeasureOptions {
  /** Few rounds, which show only that the measurement works. */
  readonly quick: boolean;
  /** Keep the folders of the swarms that were started, with their logs. */
  readonly keep: boolean;
  /** The environment of the benchmark. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Prints one line for people. */
  readonly say: (line: string) => void;
}

/** Measures some figures, by their names in the benchmark's JSON line. */
export type Measure = (options: MeasureOptions) => Promise<Readonly<Record<string, number>>>;
