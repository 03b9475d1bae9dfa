/** A user name and a password or token for an origin over HTTP. */
export interface GitCredential {
  readonly user: string;
  readonly password: string;
  /** The scheme and host that may be given it, and no other host that a redirect names. */
  readonly for: string;
}

/** Where an origin is, and what it takes to get in. */
export interface OriginAddress {
  /** Without user information: git prints it, and it stands in the command line of git. */
  readonly url: string;
  readonly credential: GitCredential | null;
}

/** The user name that git hosts expect beside a token. */
const TOKEN_USER = "x-access-token";

/**
 * Takes the credential out of a URL. `credential` is `user:password` or a token, and wins over one in the URL. Only
 * addresses of HTTP have one: SSH has its keys, and the user name in `ssh://git@host` is part of the address.
 */
export function originAddress(url: string, credential?: string): OriginAddress {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return { url, credential: null };
  const parsed = new URL(url);
  const given = credential === undefined ? inUrl(parsed) : parseCredential(credential);
  parsed.username = "";
  parsed.password = "";
  return {
    // Unchanged without user information, because a parsed URL may be written in another way.
    url: /^https?:\/\/[^/]*@/i.test(url) ? parsed.href : url,
    credential: given === null ? null : { ...given, for: parsed.origin },
  };
}

type Given = Pick<GitCredential, "user" | "password">;

function inUrl({ username, password }: URL): Given | null {
  if (username === "" && password === "") return null;
  const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
  return secret === "" ? { user, password: "" } : { user, password: secret };
}

function parseCredential(text: string): Given {
  const colon = text.indexOf(":");
  return colon < 0
    ? { user: TOKEN_USER, password: text }
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

const USER = "SWARM_GIT_USER";
const PASSWORD = "SWARM_GIT_PASSWORD";
/** `printf` is part of the shell, so no command line holds the credential. */
const HELPER = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$${USER}" "$${PASSWORD}"; }; f`;

/**
 * The environment by which git gets a credential from a helper. The helpers of the user are left out, because git would
 * have them keep the credential.
 */
export function credentialEnvironment({ user, password, for: host }: GitCredential): Record<string, string> {
  return {
    [USER]: user,
    [PASSWORD]: password,
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: "credential.helper",
    GIT_CONFIG_VALUE_0: "",
    GIT_CONFIG_KEY_1: `credential.${host}.helper`,
    GIT_CONFIG_VALUE_1: HELPER,
  };
}

/** Takes a credential out of a text, such as the answer of a git host that repeats it. */
export function maskCredential(text: string, credential: GitCredential | null): string {
  if (credential === null) return text;
  // A token may be the user name.
  const secret = credential.password === "" ? credential.user : credential.password;
  const basic = Buffer.from(`${credential.user}:${credential.password}`).toString("base64");
  return [secret, encodeURIComponent(secret), basic].reduce(
    (rest, one) => (one === "" ? rest : rest.replaceAll(one, "[redacted]")),
    text,
  );
}
