import { expect, test } from "vitest";
import { mayMeet } from "./may-meet.ts";

test.each([
  ["src/auth/**", "src/**"],
  ["src/**", "src/auth/login.ts"],
  ["**/*.sql", "migrations/001.sql"],
  ["SRC/Auth/**", "src/auth/login.ts"],
  ["./src/auth/**", "src/auth/**"],
  ["{src,lib}/auth/**", "lib/auth/a.ts"],
])("%s and %s may match one path", (one, other) => {
  expect([mayMeet(one, other), mayMeet(other, one)]).toEqual([true, true]);
});

test.each([
  ["src/auth/**", "docs/**"],
  ["src/auth/**", "src/author.ts"],
  ["src/a.ts", "src/b.ts"],
])("%s and %s match no path together", (one, other) => {
  expect([mayMeet(one, other), mayMeet(other, one)]).toEqual([false, false]);
});
