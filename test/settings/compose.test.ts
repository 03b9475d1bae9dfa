import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { sandboxSettings } from "@agentswarm/sandbox";
import { settings as broker } from "../../services/broker/src/config.ts";
import { SERVICE_SCHEMAS } from "../../tools/local/service-environment.ts";
import { seedSecrets } from "../../tools/compose/seed-secrets.ts";
import { explainedSettings, readText } from "./read-settings.ts";

const SCHEMAS = { ...SERVICE_SCHEMAS, broker };

/** Settings that docker-compose.yml does not take, each with the reason. */
const NOT_IN_COMPOSE = {
  ALLOW_UNISOLATED: "agents run in containers",
  SANDBOX_DISK_BYTES: "agents run in containers, whose work folders SANDBOX_WORK_BYTES limits",
  REDIS_URL: "compose starts Redis itself",
  SWARM_HOME: "volumes hold it",
  AGENT_FILE: "set in the image",
  API_HOST: "set in the image",
  API_BEHIND: "set in the image",
  API_KEYS_FILE: "set in the image, in a volume",
  HEALTH_FILE: "set in the image, for the health check",
  SWARM_STORE_URL: "set in the image, in a volume",
  SWARM_TOOLS: "the image contains the programs",
  SWARM_REDIS_SERVER: "compose starts Redis itself",
  MODEL_RECORDED: "agents run in containers, so they are isolated in any case",
  GRACE_MS: "stop_grace_period of the containers is set for the default",
};

/** Settings of services that are set in the image, or that stay at their default in containers. */
const IN_IMAGE = new Set([...Object.keys(NOT_IN_COMPOSE), "API_PORT"]);
/** The broker has them; services ask the broker. */
const OF_BROKER = ["SANDBOX_IMAGE", "SANDBOX_WORK_BYTES"];
const SECRET = /KEY$|TOKEN|SECRET|PASSWORD|CREDENTIAL|REDIS_URL/;

interface ComposeService {
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}
const { services } = parse(readText("docker-compose.yml"), { merge: true }) as {
  services: Record<string, ComposeService>;
};
const secrets = mkdtempSync(join(tmpdir(), "swarm-seed-"));
afterAll(() => rmSync(secrets, { recursive: true }));

/** The settings that a service gets: its environment, and the files in the volume of its secrets. */
async function settingsOf(name: string): Promise<string[]> {
  await seedSecrets(secrets, { prefix: "swarm", address: "redis:6379", brokerToken: undefined });
  const volume = services[name]?.volumes?.find((one) => one.includes(":/run/swarm-secrets:ro"));
  const folder = volume === undefined ? null : (/^secrets-([a-z]+):/.exec(volume)?.[1] ?? null);
  const files = folder === null ? [] : readdirSync(join(secrets, folder));
  return [...Object.keys(services[name]?.environment ?? {}), ...files].toSorted();
}

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

test.each(Object.entries(SCHEMAS))(
  "%s gets the settings of its schema and no others",
  async (name, schema) => {
    const besides = name === "broker" ? IN_IMAGE : new Set([...IN_IMAGE, ...OF_BROKER]);
    const wanted = Object.keys(schema.shape).filter((one) => !besides.has(one) || one === "REDIS_URL");
    expect(await settingsOf(name)).toEqual(wanted.toSorted());
  },
);

test("a secret reaches only the services whose schema has it", async () => {
  for (const name of Object.keys(services)) {
    const shape: object = name in SCHEMAS ? SCHEMAS[name as keyof typeof SCHEMAS].shape : {};
    const alone: Record<string, readonly string[]> = {
      // It writes the token that the user has set into the volumes of those who need it.
      seed: ["BROKER_TOKEN"],
      demo: ["SWARM_API_KEY"],
      backup: ["REDIS_URL"],
    };
    const got = (await settingsOf(name)).filter((one) => SECRET.test(one));
    expect([name, got.filter((one) => !(one in shape) && !alone[name]?.includes(one))]).toEqual([name, []]);
  }
});

test("the published api gets no key of a model, no token and no repository", async () => {
  const got = await settingsOf("api");
  expect(got.filter((one) => /^(LLM|RUNPOD|MODAL|GIT|BROKER)_/.test(one))).toEqual([]);
});

test("no two services mount the same secrets", () => {
  const mounted = Object.entries(services).flatMap(([name, { volumes = [] }]) =>
    volumes.filter((one) => one.startsWith("secrets-") && name !== "seed").map((one) => one.split(":")[0]),
  );
  expect(mounted.length).toBeGreaterThan(6);
  expect(new Set(mounted).size).toBe(mounted.length);
});

test("compose sets no default password", () => {
  expect(compose).not.toMatch(/(?:PASSWORD|TOKEN|SECRET|KEY|CREDENTIAL):-[^}]/);
  expect(compose).not.toContain("recorded-answers-only");
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
