import type { Environment } from "@agentswarm/service";
import { settings as api } from "../../services/api/src/config.ts";
import { settings as dispatcher } from "../../services/dispatcher/src/config.ts";
import { settings as merger } from "../../services/merger/src/config.ts";
import { settings as planner } from "../../services/planner/src/config.ts";
import { settings as reconciler } from "../../services/reconciler/src/config.ts";
import { keyVariables } from "@agentswarm/llm";
import type { ServiceName } from "./programs.ts";

/** The settings of each service. */
export const SERVICE_SCHEMAS = { api, dispatcher, merger, planner, reconciler };

/** What programs need of the machine and of its user; none of it is a secret of the swarm. */
const MACHINE = new Set([
  ..."PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_ALL TZ TMPDIR TERM FORCE_COLOR NO_COLOR".split(" "),
  ..."XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS LD_LIBRARY_PATH".split(" "),
  ..."NODE_ENV NODE_OPTIONS NODE_COMPILE_CACHE NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR".split(" "),
  ..."HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy".split(" "),
  // Tests crash a service at a named step.
  "FAILPOINT",
]);
/** For services with a repository. */
const GIT = new Set(["SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO"]);
/** For services with sandboxes: the Docker client's own variables, and the registries of npm. */
const SANDBOXES = /^(?:DOCKER_(?:HOST|CERT_PATH|TLS_VERIFY|CONTEXT|CONFIG)|npm_config_.+)$/i;

/** For programs that have no settings of the swarm: Redis and the recorded model. */
export function machineEnvironment(env: Environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => MACHINE.has(name)));
}

/** The environment of one service: the settings of its schema, and what every program needs of the machine. */
export function serviceEnvironment(service: ServiceName, env: Environment): NodeJS.ProcessEnv {
  const { shape } = SERVICE_SCHEMAS[service];
  // LLM_BACKENDS names the variables with its keys.
  const keys = new Set("LLM_BACKENDS" in shape ? keyVariables(env["LLM_BACKENDS"]) : []);
  const passes = (name: string) =>
    name in shape ||
    MACHINE.has(name) ||
    keys.has(name) ||
    ("GIT_REPO_URL" in shape && GIT.has(name)) ||
    ("SANDBOX_PROVIDER" in shape && SANDBOXES.test(name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => passes(name)));
}
