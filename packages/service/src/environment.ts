/** The variables of a process, or settings that are passed in the same form. */
export type Environment = Readonly<Record<string, string | undefined>>;
