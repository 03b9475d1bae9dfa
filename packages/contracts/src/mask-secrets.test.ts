import { expect, test } from "vitest";
import { maskSecrets, maskSecretsIn } from "./mask-secrets.ts";

// Joined here, so that no scan of this repository finds a key.
const join = (...parts: string[]) => parts.join("");
const key = "a1B2c3D4e5f6".repeat(4);

test.each([
  ["a key of the gateway", join("swt", "_", key.slice(0, 32))],
  ["a key of the api", join("ask", "_0123456789ab_", key)],
  ["a model's key", join("sk", "-proj-", key)],
  ["a token of GitHub", join("ghp", "_", key.slice(0, 36))],
  ["a fine-grained token of GitHub", join("github", "_pat_", key, key)],
  ["a token of GitLab", join("glpat", "-", key.slice(0, 20))],
  ["a token of npm", join("npm", "_", key.slice(0, 36))],
  ["an id of AWS", join("AKIA", "Q6U5X2P7WZ3VNC4K")],
])("%s is masked by its form", (_, secret) => {
  expect(maskSecrets(`X=${secret}, and more`)).toBe("X=[redacted], and more");
});

test("the body of a private key is masked, also where its line breaks are escaped", () => {
  const [begin, end] = ["-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"];
  for (const newline of ["\n", "\\n"])
    expect(maskSecrets([begin, "MIIEpAIBAAKCAQEA", "1234+/==", end, "after"].join(newline))).not.toMatch(
      /MII|1234/,
    );
});

test("known values are masked, credentials in URLs and headers too", () => {
  expect(maskSecrets("is pass.word+1 here", ["pass.word+1"])).toBe("is [redacted] here");
  expect(maskSecrets("https://me:hunter2@host/x")).toBe("https://[redacted]@host/x");
  expect(maskSecrets("authorization: Bearer abc.def-123456")).toBe("authorization: Bearer [redacted]");
});

test("a key in base64 is masked, whatever stands before it", () => {
  const secret = join("ghp", "_", key.slice(0, 36));
  for (const encoding of ["base64", "base64url"] as const)
    for (const before of ["", "+", "x/", "abc", "data:text/plain;base64,"])
      for (const around of ["", "=", "ab "]) {
        const encoded = Buffer.from(`${around}${secret}\n`).toString(encoding).replaceAll("=", "");
        expect(maskSecrets(`${before}${encoded} after`)).not.toContain(encoded.slice(8, 40));
      }
});

test("ordinary text stays as it is", () => {
  const text =
    "sk-learn, ask_me, npm_config_cache, commit 0123456789abcdef0123456789abcdef01234567, a@b.example, QSBsb25nIHRleHQgdGhhdCBpcyBubyBrZXkgYXQgYWxs";
  expect(maskSecrets(text)).toBe(text);
});

test("a JSON value is masked at any depth, and stays JSON", () => {
  const value = { a: ["x secret-1 y", 1, null], "secret-1": { b: true } };
  expect(maskSecretsIn(value, ["secret-1"])).toEqual({
    a: ["x [redacted] y", 1, null],
    "[redacted]": { b: true },
  });
});

test("a large text is masked in little time", () => {
  const started = performance.now();
  for (const text of [
    "sk-".repeat(200_000),
    "a".repeat(2_000_000),
    "://a:".repeat(200_000),
    "ghp_".repeat(200_000),
    `://${":".repeat(1_000_000)}`,
    "QUJD ".repeat(10).repeat(20_000),
    "QUJDREVGR0hJSktMTU5PUFFSU1RVVg== ".repeat(30_000),
  ])
    maskSecrets(text);
  expect(performance.now() - started).toBeLessThan(3_000);
});
