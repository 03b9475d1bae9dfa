import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** Settings of the npm route: where things lie there, and what containers decide for themselves. */
const NOT_IN_COMPOSE = new Set([
  "ALLOW_UNISOLATED",
  "REDIS_URL",
  "SWARM_HOME",
  // Each needs a folder of the host's inside the dispatcher; a compose file of one's own can mount it.
  "AGENT_COMMAND_DIR",
  "AGENT_RUNTIME",
  "AGENT_TEMPLATE",
  "RECORD",
]);

test("every setting that is explained can be set in compose, and the other way round", () => {
  const explained = [...read(".env.example").matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name ?? "");
  const compose = read("docker-compose.yml");
  const taken = new Set([...compose.matchAll(/\$\{([A-Z_]+):?-/g)].map(([, name]) => name));
  expect(explained.length).toBeGreaterThan(40);
  for (const name of explained) {
    if (!NOT_IN_COMPOSE.has(name))
      expect([name, taken.has(name) || compose.includes(`${name}:`)]).toEqual([name, true]);
  }
  for (const name of taken) expect(explained).toContain(name);
});
