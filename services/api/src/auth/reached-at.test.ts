import { expect, test } from "vitest";
import { reachedBeyondLoopback } from "./reached-at.ts";

const LOCAL = "127.0.0.1";

test.each([
  [{ API_HOST: LOCAL, API_PUBLISHED_ON: LOCAL }, null],
  [{ API_HOST: "::1", API_PUBLISHED_ON: "localhost" }, null],
  [{ API_HOST: "0.0.0.0", API_PUBLISHED_ON: LOCAL }, "API_HOST"],
  [{ API_HOST: "::", API_PUBLISHED_ON: LOCAL }, "API_HOST"],
  [{ API_HOST: "192.0.2.1", API_PUBLISHED_ON: LOCAL }, "API_HOST"],
  [{ API_HOST: "0.0.0.0", API_PUBLISHED_ON: LOCAL, API_BEHIND: "container" }, null],
  [{ API_HOST: "0.0.0.0", API_PUBLISHED_ON: "0.0.0.0", API_BEHIND: "container" }, "API_PUBLISHED_ON"],
  [{ API_HOST: LOCAL, API_PUBLISHED_ON: "192.0.2.1" }, "API_PUBLISHED_ON"],
] as const)("with %j other machines reach it by %s", (settings, by) => {
  expect(reachedBeyondLoopback(settings)).toBe(by);
});
