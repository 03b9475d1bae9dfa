import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { PUBLIC_REGISTRY } from "./public-registry.ts";

/** A package registry that the operator's package manager is configured for. */
export interface Registry {
  /** The scope whose packages it has, with its `@`; null for the default registry. */
  readonly scope: string | null;
  /** Its path ends in a slash. */
  readonly url: URL;
  /** The operator named it, so it may be in a private network. */
  readonly isNamed: boolean;
}

export interface NpmConfig {
  /** The default registry is the first. */
  readonly registries: readonly Registry[];
  /** The `authorization` header for a URL, by npm's rule: of the longest configured address that it is under. */
  readonly authorization: (url: URL) => string | null;
  /** PEM certificates that replace the default ones; undefined: the default ones. */
  readonly ca: string | undefined;
  /** False only with `strict-ssl=false`. */
  readonly verifiesCertificates: boolean;
}

const ENV_PREFIX = /^npm_config_/i;

/**
 * Reads what npm on this machine is configured for: its environment, the user's .npmrc and the global one, in this order.
 * No .npmrc of a target counts.
 */
export function readNpmConfig(env: Readonly<Record<string, string | undefined>>): NpmConfig {
  const own = envConfig(env);
  const user = own["userconfig"] ?? join(env["HOME"] ?? "/nonexistent", ".npmrc");
  const prefix = own["prefix"] ?? prefixOf(env["PATH"] ?? "");
  const global = own["globalconfig"] ?? join(prefix, "etc/npmrc");
  const read = (file: string) => (existsSync(file) ? parseNpmrc(readFileSync(file, "utf8"), env) : {});
  return npmConfigOf({ ...read(global), ...read(user), ...own }, (file) => readFileSync(file, "utf8"));
}

/** The same from settings by name, as npm names them. */
export function npmConfigOf(
  config: Readonly<Record<string, string>>,
  readText: (file: string) => string,
): NpmConfig {
  const registries = [
    registryOf(null, config["registry"] ?? PUBLIC_REGISTRY.href, config["registry"] !== undefined),
  ];
  for (const [name, value] of Object.entries(config)) {
    const scope = /^(@[^:]+):registry$/.exec(name)?.[1];
    if (scope !== undefined) registries.push(registryOf(scope, value, true));
  }
  return {
    registries,
    authorization: (url) => authorizationOf(config, url),
    ca: config["cafile"] === undefined || config["cafile"] === "" ? undefined : readText(config["cafile"]),
    verifiesCertificates: config["strict-ssl"] !== "false",
  };
}

function registryOf(scope: string | null, address: string, isNamed: boolean): Registry {
  const url = new URL(address.endsWith("/") ? address : `${address}/`);
  // The address is the same as npm's default.
  return { scope, url, isNamed: isNamed && url.href !== PUBLIC_REGISTRY.href };
}

function authorizationOf(config: Readonly<Record<string, string>>, url: URL): string | null {
  let path = url.pathname;
  for (;;) {
    path = path.slice(0, path.lastIndexOf("/") + 1);
    for (const at of [path, path.slice(0, -1)]) {
      const of = (name: string) => config[`//${url.host}${at}:${name}`];
      const [token, basic, user, password] = [of("_authToken"), of("_auth"), of("username"), of("_password")];
      if (token !== undefined) return `Bearer ${token}`;
      if (basic !== undefined) return `Basic ${basic}`;
      if (user !== undefined && password !== undefined) {
        const plain = Buffer.from(password, "base64").toString("utf8");
        return `Basic ${Buffer.from(`${user}:${plain}`).toString("base64")}`;
      }
    }
    if (path === "/" || path === "") return null;
    path = path.slice(0, -1);
  }
}

/** Reads an .npmrc: `name=value` lines, `;` and `#` comments, `${VARIABLE}` in values and names. */
export function parseNpmrc(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const config: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const found = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (found === null) continue;
    const [, name = "", value = ""] = found;
    const plain = value.replace(/^(["'])(.*)\1$/, "$2");
    config[expand(name, env)] = expand(plain, env);
  }
  return config;
}

/** A variable that is not set stays as it is written, as with npm. */
function expand(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(/\$\{([^}?]+)\??\}/g, (whole, name: string) => env[name] ?? whole);
}

function envConfig(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const config: Record<string, string> = {};
  for (const [variable, value] of Object.entries(env)) {
    if (value === undefined || value === "" || !ENV_PREFIX.test(variable)) continue;
    const name = variable.replace(ENV_PREFIX, "");
    config[name.startsWith("//") ? name : name.toLowerCase().replaceAll(/(?!^)_/g, "-")] = value;
  }
  return config;
}

/** npm's prefix: the folder above the `bin` that npm is in. */
function prefixOf(path: string): string {
  const dir = path.split(delimiter).find((one) => one !== "" && existsSync(join(one, "npm")));
  return dir === undefined ? "/usr/local" : dirname(realpathSync(dir));
}
