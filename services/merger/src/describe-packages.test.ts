import { expect, test } from "vitest";
import type { PackageFacts } from "@agentswarm/checks";
import { describePackages } from "./describe-packages.ts";

test("a person reads how old a package is, and who publishes it, as far as it is known", () => {
  const facts = new Map<string, PackageFacts | "missing" | "unknown">([
    ["young", { since: "2026-11-18", newest: { version: "2.0.0", on: "2026-11-20" }, maintainers: 1 }],
    ["bare", { since: null, newest: { version: "1.0.0", on: null }, maintainers: null }],
    ["typo", "missing"],
    ["away", "unknown"],
  ]);
  expect(describePackages(facts)).toBe(
    "the registry says: young (since 2026-11-18; newest 2.0.0 of 2026-11-20; 1 maintainer), bare (age unknown; newest 1.0.0), typo (does not exist), away (age unknown)",
  );
});
