/** How many attempts one run of the gate may carry at first, and at most. */
export const FIRST_GROUP = 8;
export const LARGEST_GROUP = 100;

/** The size of the next group: twice as many after a green one, half after a red one. */
export function nextGroupSize(size: number, passed: boolean): number {
  return passed ? Math.min(size * 2, LARGEST_GROUP) : Math.max(1, Math.floor(size / 2));
}
