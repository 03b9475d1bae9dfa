import { expect, test } from "vitest";
import { refuseAddress } from "./pinned-lookup.ts";

test.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.20.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "0.0.0.0",
  "::1",
  "::",
  "fd00::1",
  "::ffff:10.0.0.1",
])("%s is reached only when the operator named the registry", (address) => {
  expect(refuseAddress(address, false)).toContain("private address");
  expect(refuseAddress(address, true)).toBeNull();
});

test.each(["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])("%s is never reached", (address) => {
  expect(refuseAddress(address, true)).toContain("link-local");
});

test.each(["104.16.0.1", "2606:4700::1"])("%s is reached", (address) => {
  expect(refuseAddress(address, false)).toBeNull();
});
