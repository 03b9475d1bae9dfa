/**
 * The first of `count` landings, counted from 0, with which a group turns red, when all of it is red and nothing of it
 * is green. `isRed(n)` tells about the first `n` landings; it is asked about log2(count) times. (As `git bisect`.)
 */
export async function findCulprit(
  count: number,
  isRed: (first: number) => Promise<boolean>,
): Promise<number> {
  let green = 0;
  let red = count;
  while (red - green > 1) {
    const middle = Math.floor((green + red) / 2);
    if (await isRed(middle)) red = middle;
    else green = middle;
  }
  return red - 1;
}
