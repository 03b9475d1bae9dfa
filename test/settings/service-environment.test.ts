import { expect, test } from "vitest";
import { SERVICES } from "../../tools/local/programs.ts";
import {
  machineEnvironment,
  SERVICE_SCHEMAS,
  serviceEnvironment,
} from "../../tools/local/service-environment.ts";

const everySetting = Object.values(SERVICE_SCHEMAS).flatMap((schema) => Object.keys(schema.shape));
const env = {
  ...Object.fromEntries(everySetting.map((name) => [name, "x"])),
  LLM_BACKENDS: '[{"name":"z","kind":"zai"},{"name":"own","baseUrl":"http://h/v1","keyVar":"MY_KEY"}]',
  MY_KEY: "k",
  ZAI_API_KEY: "z",
  AWS_SECRET_ACCESS_KEY: "a",
  GITHUB_TOKEN: "g",
  PATH: "/bin",
  HOME: "/home/me",
  SSH_AUTH_SOCK: "/s",
  npm_config_registry: "https://registry.example",
};

test.each(SERVICES)("with npm start %s gets its own settings, the machine's, and nothing else", (service) => {
  const given = serviceEnvironment(service, env);
  const { shape } = SERVICE_SCHEMAS[service];
  const hasModel = "LLM_BACKENDS" in shape;
  const besides = ["PATH", "HOME", ...(hasModel ? ["MY_KEY", "ZAI_API_KEY"] : [])];
  if ("GIT_REPO_URL" in shape) besides.push("SSH_AUTH_SOCK");
  if ("SANDBOX_PROVIDER" in shape) besides.push("npm_config_registry");
  expect(Object.keys(given).toSorted()).toEqual([...Object.keys(shape), ...besides].toSorted());
});

test("with npm start the merger gets no key of a model, and the api no token at all", () => {
  expect(Object.keys(serviceEnvironment("merger", env)).filter((name) => /^LLM|MY_KEY/.test(name))).toEqual(
    [],
  );
  const ofApi = Object.keys(serviceEnvironment("api", env));
  expect(ofApi.filter((name) => /TOKEN(?!S)|SECRET|CREDENTIAL|(?<!API_)KEY|GIT/.test(name))).toEqual([]);
});

test("with npm start Redis and the recorded model get no settings", () => {
  expect(machineEnvironment(env)).toEqual({ PATH: "/bin", HOME: "/home/me" });
});
