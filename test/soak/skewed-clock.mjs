// Loaded into each service of a soak: SIGUSR2 sets its clock an hour forth, then back, then right again.
const HOUR_MS = 3_600_000;
const SKEWS = [HOUR_MS, -HOUR_MS, 0];
const realNow = Date.now;
let jumps = 0;
process.on("SIGUSR2", () => {
  const skew = SKEWS[jumps % SKEWS.length];
  jumps += 1;
  Date.now = () => realNow() + skew;
});
