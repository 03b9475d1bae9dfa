import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settings as api } from "../../services/api/src/config.ts";
import { settings as broker } from "../../services/broker/src/config.ts";
import { settings as dispatcher } from "../../services/dispatcher/src/config.ts";
import { settings as merger } from "../../services/merger/src/config.ts";
import { settings as planner } from "../../services/planner/src/config.ts";
import { settings as reconciler } from "../../services/reconciler/src/config.ts";
import { demoSettings } from "../../tools/compose/config.ts";
import { doctorSettings } from "../../tools/doctor/config.ts";
import { localSettings } from "../../tools/local/config.ts";
import { explainedSettings } from "./read-settings.ts";

const SERVICES = { api, broker, dispatcher, merger, planner, reconciler };
const TOOLS = { demo: demoSettings, doctor: doctorSettings, local: localSettings };
const SCHEMAS = Object.values({ ...SERVICES, ...TOOLS });

/** Variables of docker-compose.yml only: no program of ours reads them. */
const COMPOSE_ONLY = {
  GRAFANA_PORT: "the port that compose publishes",
  PROMETHEUS_IMAGE: "an image that compose pulls",
  GRAFANA_IMAGE: "an image that compose pulls",
};

/** Settings whose value in .env.example is not the default. */
const EXAMPLES = {
  LLM_BASE_URL: "an example of a URL",
  LLM_BACKENDS: "an example of a list",
  BROKER_URL: "the URL of a broker with its default BROKER_LISTEN",
  WARM_POOL: "the default depends on MAX_WORKERS and the provider",
  DOOR_MEMORY_BYTES: "the default depends on MAX_WORKERS",
  SANDBOX_DISK_BYTES: "the default is that of the limits of a sandbox",
  REDIS_URL: "the default of a service that runs alone; npm start and compose set it",
};

const explained = explainedSettings();

test("every setting of a service or tool is explained in .env.example", () => {
  const explanations = new Map(explained.map(({ name, explanation }) => [name, explanation]));
  for (const name of SCHEMAS.flatMap((schema) => Object.keys(schema.shape)))
    expect([name, explanations.get(name)]).toEqual([name, expect.stringMatching(/\w/)]);
});

test("every name in .env.example is a setting, once", () => {
  const known = new Set([
    ...SCHEMAS.flatMap((schema) => Object.keys(schema.shape)),
    ...Object.keys(COMPOSE_ONLY),
  ]);
  const names = explained.map(({ name }) => name);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test("every service has its settings checked here", () => {
  expect(readdirSync(join(import.meta.dirname, "../../services")).toSorted()).toEqual(Object.keys(SERVICES));
});

test("every value in .env.example is allowed, and is the default unless it is an example", () => {
  for (const { name, value } of explained) {
    const fields = SCHEMAS.flatMap((schema) => Object.entries(schema.shape)).filter(([key]) => key === name);
    const given = value === "" ? undefined : value;
    const values = fields.map(([, field]) => ({
      shown: field.safeParse(given),
      usual: field.safeParse(undefined).data,
    }));
    if (given !== undefined)
      for (const { shown } of values) expect([name, shown.success]).toEqual([name, true]);
    if (name in EXAMPLES || name in COMPOSE_ONLY) continue;
    const defaults = values.filter(({ usual }) => usual !== undefined);
    for (const { shown, usual } of defaults) expect([name, shown.data]).toEqual([name, usual]);
    const isEmpty = defaults.every(
      ({ usual }) => usual === "" || (Array.isArray(usual) && usual.length === 0),
    );
    expect([name, given === undefined]).toEqual([name, isEmpty]);
  }
});
