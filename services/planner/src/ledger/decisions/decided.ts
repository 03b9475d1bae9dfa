/** What was decided, and by whom. */
export interface Decided {
  /** The persons who agreed, or null: nobody answered in time. */
  readonly by: string | null;
  readonly option: string | null;
  readonly text: string;
}
