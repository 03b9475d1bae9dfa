/**
 * The index of the first of `count` landings that turns a batch red. The batch as a whole must be red, and its base
 * green. `isRed(n)` tests the first `n` landings and is called at most log2(count) times, rounded up, as in `git bisect`.
 */
export async function bisect(count: number, isRed: (first: number) => Promise<boolean>): Promise<number> {
  let green = 0;
  let red = count;
  while (red - green > 1) {
    const middle = Math.floor((green + red) / 2);
    if (await isRed(middle)) red = middle;
    else green = middle;
  }
  return red - 1;
}
