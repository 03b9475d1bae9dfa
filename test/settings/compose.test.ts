import { expect, test } from "vitest";
import { sandboxSettings } from "@agentswarm/sandbox";
import { explainedSettings, readText } from "./read-settings.ts";

/** Settings that docker-compose.yml does not take, each with the reason. */
const NOT_IN_COMPOSE = {
  ALLOW_UNISOLATED: "agents run in containers",
  SANDBOX_DISK_BYTES: "agents run in containers, whose work folders SANDBOX_WORK_BYTES limits",
  REDIS_URL: "compose starts Redis itself",
  SWARM_HOME: "volumes hold it",
  AGENT_FILE: "set in the image",
  API_HOST: "set in the image",
  API_KEYS_FILE: "set in the image, in a volume",
  HEALTH_FILE: "set in the image, for the health check",
  SWARM_STORE_URL: "set in the image, in a volume",
  SWARM_TOOLS: "the image contains the programs",
  SWARM_REDIS_SERVER: "compose starts Redis itself",
  MODEL_RECORDED: "agents run in containers, so they are isolated in any case",
  GRACE_MS: "stop_grace_period of the containers is set for the default",
};

const names = explainedSettings().map(({ name }) => name);
const compose = readText("docker-compose.yml");
const taken = new Set([...compose.matchAll(/\$\{([A-Z_]+):?-/g)].map(([, name]) => name));

test("every setting that is explained can be set in compose, or is excluded with a reason", () => {
  expect(names.length).toBeGreaterThan(40);
  for (const name of names.filter((one) => !(one in NOT_IN_COMPOSE)))
    expect([name, taken.has(name) || compose.includes(`${name}:`)]).toEqual([name, true]);
});

test("every setting that compose takes is explained", () => {
  for (const name of taken) expect(names).toContain(name);
});

test("only settings that compose does not take are excluded", () => {
  for (const name of Object.keys(NOT_IN_COMPOSE)) {
    expect(names).toContain(name);
    expect([name, taken.has(name)]).toEqual([name, false]);
  }
});

test.each(sandboxSettings.SANDBOX_PROVIDER.unwrap().options)(
  "compose starts the broker and builds the image of sandboxes for docker, not for other providers: %s",
  (provider) => {
    const sections = readText("infra/sandboxes.yml").split(/^  (?=\S)/m);
    const section = (name: string) =>
      sections.find((text) => text.startsWith(`${name}-${provider}:`)) ?? "none";
    const scale = provider === "docker" ? 1 : 0;
    expect(section("broker")).toContain(`scale: ${scale}`);
    expect(section("sandbox-image").includes("build:")).toBe(provider === "docker");
    expect(section("sandbox-image").includes("scale: 0")).toBe(provider !== "docker");
  },
);
