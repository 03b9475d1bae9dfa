import type { Environment } from "./environment.ts";

/** Names of settings and fields whose values are masked in logs. */
const SECRET_NAME = /token|api_?-?key|authorization|password|passwd|secret|credential|cookie|gateway_?key/i;
/** Users name variables themselves (`keyVar`), so any name with KEY in it counts as a secret. */
const SECRET_SETTING = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/;
/** Shorter values and plain numbers are not masked: they occur all over a log. */
const SHORTEST = 8;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

export function isSecretSetting(name: string): boolean {
  return SECRET_SETTING.test(name);
}

/** The values of an environment to mask: those of settings with a secret's name, and passwords inside URLs. */
export function secretsOf(env: Environment): string[] {
  const values = Object.entries(env).flatMap(([name, value = ""]) =>
    isSecretSetting(name) ? [value, passwordOf(value)] : credentialsOf(value),
  );
  return [...new Set(values)].filter((value) => value.length >= SHORTEST && !/^\d+$/.test(value));
}

/** The second half of `user:password`. */
function passwordOf(value: string): string {
  return value.slice(value.indexOf(":") + 1);
}

function credentialsOf(value: string): string[] {
  if (!value.includes("@") || !URL.canParse(value)) return [];
  const { username, password } = new URL(value);
  // A URL with a token only carries it as the user name.
  const found = password === "" ? [username] : [password];
  return found.flatMap((one) => [one, decodeURIComponent(one)]);
}
