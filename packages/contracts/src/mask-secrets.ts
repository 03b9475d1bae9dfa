/**
 * Keys that are known by their form, with the name of the rule. Repetitions are bounded: an unbounded one over a large
 * token overflows the stack.
 */
export const KEY_FORMS: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ["swarm-key", /\bask_[a-z0-9]{6,32}_[A-Za-z0-9_-]{20,200}/g],
  ["gateway-key", /\bswt_[A-Za-z0-9_-]{32}/g],
  ["model-key", /\bsk-(?=[\w-]{0,99}\d)(?=[\w-]{0,99}[A-Z])[\w-]{32,200}/g],
  ["private-key", /-----BEGIN (?:[A-Z]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g],
];

/** Keys of common services. The search of what lands knows them by secretlint. */
const FOREIGN_KEYS: readonly RegExp[] = [
  /\b(?:gh[opusr]|npm)_[A-Za-z0-9]{36,255}/g,
  /\bgithub_pat_[A-Za-z0-9_]{50,255}/g,
  /\bglpat-[\w-]{20,255}/g,
  /\bxox[abposr]-[\w-]{10,255}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /(?<=-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)[\w+/=\s\\-]{16,8192}/g,
];

export const MASK = "[redacted]";
const URL_CREDENTIALS = /(:\/\/)(?:[^\s/@:]*:[^\s/@]+|[^\s/@:]{16,})@/g;
const AUTHORIZATION = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;

/** What may be base64 of a key, with what stands right before it. */
const BASE64 = /[A-Za-z0-9+/_-]{24,65536}/g;

/**
 * Replaces secrets in a text by MASK: the values in `known`, keys that are known by their form, also in base64, and
 * credentials in URLs and headers. A secret in another encoding, or in base64 over several lines, is not found.
 */
export function maskSecrets(text: string, known: readonly string[] = []): string {
  const masked = maskPlain(text, known);
  return masked.replaceAll(BASE64, (token) => (hidesSecret(token, known) ? MASK : token));
}

function maskPlain(text: string, known: readonly string[]): string {
  let masked = known.reduce((rest, secret) => rest.replaceAll(secret, MASK), text);
  for (const form of FOREIGN_KEYS) masked = masked.replaceAll(form, MASK);
  for (const [, form] of KEY_FORMS) masked = masked.replaceAll(form, MASK);
  return masked.replaceAll(URL_CREDENTIALS, `$1${MASK}@`).replaceAll(AUTHORIZATION, `$1 ${MASK}`);
}

/** Signs before the base64, such as the `+` of an added line or the `/` of a path, shift where it begins. */
const SHIFTS = [0, 1, 2, 3];

function hidesSecret(token: string, known: readonly string[]): boolean {
  return SHIFTS.some((shift) => {
    const decoded = decodeBase64(token.slice(shift));
    return decoded !== maskPlain(decoded, known);
  });
}

function decodeBase64(text: string): string {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  // One last sign alone holds no whole byte, and `atob` refuses it.
  return atob(plain.length % 4 === 1 ? plain.slice(0, -1) : plain);
}

/** A JSON value whose texts, at any depth, are masked; names of fields are masked too. */
export function maskSecretsIn<T>(value: T, known: readonly string[] = []): T {
  return mask(value, known) as T;
}

function mask(value: unknown, known: readonly string[]): unknown {
  if (typeof value === "string") return maskSecrets(value, known);
  if (Array.isArray(value)) return value.map((one) => mask(one, known));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [maskSecrets(name, known), mask(inner, known)]),
  );
}
