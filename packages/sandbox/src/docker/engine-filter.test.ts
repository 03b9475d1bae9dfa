import { expect, test } from "vitest";
import { FORBIDDEN, UNAVAILABLE } from "../seccomp/forbidden-calls.ts";
import { buildEngineFilter, filterOption } from "./engine-filter.ts";

test.each([
  ["20.10.24+dfsg1", true],
  ["20.10.10", true],
  ["24.0.9", true],
  ["20.10.5+dfsg1", false],
  ["19.3.1", false],
  ["25.0.0", false],
  ["28.2.2", false],
  ["dev", false],
])("an engine %s gets our filter: %s", (version, isOurs) => {
  expect(filterOption(version)?.startsWith("seccomp={") ?? false).toBe(isOurs);
});

test("every call that bubblewrap's filter refuses is refused by the engine, with the same error", () => {
  const errorOf = (name: string) =>
    buildEngineFilter().syscalls.find(({ names, args }) => names.includes(name) && args === undefined)
      ?.errnoRet;
  for (const name of UNAVAILABLE) expect([name, errorOf(name)]).toEqual([name, 38]);
  for (const name of FORBIDDEN) expect([name, errorOf(name)]).toEqual([name, 1]);
  expect(errorOf("clone3")).toBe(38);
});

test("no family of sockets but four is left", () => {
  const rules = buildEngineFilter().syscalls.filter(({ names }) => names.includes("socket"));
  const isRefused = (family: number) =>
    rules.some(({ args }) =>
      args?.some(({ op, value }) => (op === "SCMP_CMP_GT" ? family > value : family === value)),
    );
  const left = Array.from({ length: 60 }, (_, family) => family).filter((family) => !isRefused(family));
  expect(left).toEqual([1, 2, 10, 16]);
});
