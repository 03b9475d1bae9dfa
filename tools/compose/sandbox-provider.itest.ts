import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCompose } from "./testing/compose-project.ts";

const command = findCompose();
const [program = "", ...first] = command ?? [];

/** The section of a service in the resolved configuration. */
function serviceOf(name: string, provider: string): string {
  const root = join(import.meta.dirname, "../..");
  const resolved = execFileSync(program, [...first, "-f", join(root, "docker-compose.yml"), "config"], {
    encoding: "utf8",
    env: { ...process.env, SANDBOX_PROVIDER: provider },
  });
  const sections = resolved.split(/^ {2}(?=\S)/m);
  return sections.find((section) => section.startsWith(`${name}:`)) ?? "";
}

describe.runIf(command !== null)("docker compose config", () => {
  test.each(["", "docker"])(
    "with SANDBOX_PROVIDER=%s has one broker and builds the image of sandboxes",
    (provider) => {
      expect(serviceOf("broker", provider)).toMatch(/scale: 1/);
      expect(serviceOf("sandbox-image", provider)).toMatch(/dockerfile: infra\/sandbox\.Dockerfile/);
    },
  );

  test("with SANDBOX_PROVIDER=modal starts no broker and builds no image of sandboxes", () => {
    expect(serviceOf("broker", "modal")).toMatch(/scale: 0/);
    expect(serviceOf("sandbox-image", "modal")).toMatch(/scale: 0/);
    expect(serviceOf("sandbox-image", "modal")).not.toMatch(/Dockerfile/);
  });
});
