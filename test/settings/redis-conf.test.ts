import { expect, test } from "vitest";
import { parse } from "yaml";
import { readText } from "./read-settings.ts";

const MIB = 1024 ** 2;
const UNITS: Readonly<Record<string, number>> = { mb: MIB, m: MIB, gb: 1024 * MIB, g: 1024 * MIB };

function bytesOf(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
  return Number(amount) * (UNITS[unit] ?? Number.NaN);
}

const settings = new Map(
  readText("infra/redis.conf")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => [line.split(" ")[0], line.split(" ").slice(1).join(" ")] as const),
);
interface Container {
  readonly restart?: string;
  readonly mem_limit?: string;
  readonly logging?: { readonly options: Record<string, string> };
}
const { services } = parse(readText("docker-compose.yml"), { merge: true }) as {
  services: Record<string, Container>;
};

// With npm start and in compose Redis reads this one file.
test("Redis evicts nothing, and refuses writes before its container is killed for its memory", () => {
  expect(settings.get("maxmemory-policy")).toBe("noeviction");
  const maxmemory = bytesOf(settings.get("maxmemory") ?? "");
  const limit = bytesOf(services["redis"]?.mem_limit ?? "");
  expect(maxmemory).toBeGreaterThanOrEqual(512 * MIB);
  // The rest is for a rewrite of the append-only file, which copies what is written meanwhile.
  expect(maxmemory).toBeLessThanOrEqual(0.7 * limit);
});

test("the output of every container that runs for long is bounded", () => {
  const running = Object.entries(services).filter(([, one]) => one.restart === "unless-stopped");
  expect(running.length).toBeGreaterThan(6);
  for (const [name, one] of running)
    expect(one.logging?.options, name).toEqual({ "max-size": "10m", "max-file": "5" });
});
