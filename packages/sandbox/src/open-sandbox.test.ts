import { expect, test } from "vitest";
import { refuseUnlimited } from "./open-sandbox.ts";
import type { SandboxProvider } from "./sandbox.ts";

const provider = (unenforced: SandboxProvider["unenforced"]): SandboxProvider => ({
  name: "local",
  isolation: "bubblewrap",
  chargesWhileIdle: false,
  unenforced,
  open: () => Promise.reject(new Error("not called")),
  list: () => Promise.resolve([]),
  terminate: () => Promise.resolve(),
});
const REAL = { ALLOW_UNLIMITED: false, MODEL_RECORDED: false };

test("a real model is refused where a limit does not hold, and the error names limit and setting", () => {
  expect(() => refuseUnlimited(provider(["pids", "seccomp"]), REAL)).toThrow(
    /limits pids here.*ALLOW_UNLIMITED=true/,
  );
});

test("it runs when all limits hold, also without a filter of system calls", () => {
  const full = provider(["seccomp"]);
  expect(refuseUnlimited(full, REAL)).toBe(full);
});

test.each([{ ALLOW_UNLIMITED: true }, { MODEL_RECORDED: true }])("%o takes it as it is", (setting) => {
  const open = provider(["memoryBytes"]);
  expect(refuseUnlimited(open, { ...REAL, ...setting })).toBe(open);
});
