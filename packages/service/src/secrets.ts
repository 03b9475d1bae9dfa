/** Names of settings and fields whose values nobody may read. */
const SECRET_NAME = /token|api_?-?key|authorization|password|passwd|secret|credential|cookie|gateway_?key/i;
/** Settings are named by people: a KEY of any kind is one too. */
const SECRET_SETTING = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/;
/** Shorter values, and plain numbers, would mask half of every log. */
const SHORTEST = 8;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

export function isSecretSetting(name: string): boolean {
  return SECRET_SETTING.test(name);
}

/** The values in an environment that must not show anywhere: of settings so named, and passwords inside URLs. */
export function secretsOf(env: NodeJS.ProcessEnv): string[] {
  const values = Object.entries(env).flatMap(([name, value = ""]) =>
    isSecretSetting(name) ? [value] : credentialsOf(value),
  );
  return [...new Set(values)].filter((value) => value.length >= SHORTEST && !/^\d+$/.test(value));
}

function credentialsOf(value: string): string[] {
  if (!value.includes("@") || !URL.canParse(value)) return [];
  const { username, password } = new URL(value);
  // A token alone stands where the user's name would.
  const found = password === "" ? [username] : [password];
  return found.flatMap((one) => [one, decodeURIComponent(one)]);
}
