import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import type { NpmConfig, Registry } from "./npm-config.ts";
import { pinnedLookup } from "./pinned-lookup.ts";

const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"] as const;

/** Connections to registries: to an address that was examined, or to the operator's proxy. */
export interface RegistryAgents {
  of(registry: Registry): http.Agent;
  close(): void;
}

/** Keeps connections open until `close`. `env` names the proxies of this machine; a proxy resolves names itself. */
export function openRegistryAgents(
  config: NpmConfig,
  env: Readonly<Record<string, string | undefined>>,
): RegistryAgents {
  const proxyEnv = Object.fromEntries(PROXIES.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const isProxied = Object.keys(proxyEnv).some((name) => /^https?_proxy$/i.test(name));
  const tls = {
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    rejectUnauthorized: config.verifiesCertificates,
  };
  const agents = new Map<Registry, http.Agent>();
  return {
    of(registry) {
      const known = agents.get(registry);
      if (known !== undefined) return known;
      const { protocol, hostname } = registry.url;
      const isLiteral = isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
      const route = isProxied ? { proxyEnv } : isLiteral ? {} : { lookup: pinnedLookup(registry.isNamed) };
      const agentOptions = { keepAlive: true, maxSockets: 16, ...route };
      const agent =
        protocol === "https:" ? new https.Agent({ ...agentOptions, ...tls }) : new http.Agent(agentOptions);
      agents.set(registry, agent);
      return agent;
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}
