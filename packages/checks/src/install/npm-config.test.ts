import { expect, test } from "vitest";
import { npmConfigOf, parseNpmrc } from "./npm-config.ts";
import { PUBLIC_REGISTRY } from "./public-registry.ts";

const configOf = (config: Record<string, string>) => npmConfigOf(config, (file) => `content of ${file}`);

test("an .npmrc has names and values, comments, quotes and variables", () => {
  const text = `
; a comment
# another
registry = https://npm.example.com/
@own:registry="https://own.example.com/npm"
//npm.example.com/:_authToken=\${TOKEN}
unset=\${NOTHING}
novalue
`;
  expect(parseNpmrc(text, { TOKEN: "secret" })).toEqual({
    registry: "https://npm.example.com/",
    "@own:registry": "https://own.example.com/npm",
    "//npm.example.com/:_authToken": "secret",
    unset: "${NOTHING}",
  });
});

test("the default registry comes first, and a registry's address ends in a slash", () => {
  const { registries } = configOf({ "@own:registry": "https://own.example.com/npm" });
  expect(registries.map(({ scope, url, isNamed }) => [scope, url.href, isNamed])).toEqual([
    [null, PUBLIC_REGISTRY.href, false],
    ["@own", "https://own.example.com/npm/", true],
  ]);
});

test("a header is sent to the addresses that it was configured for and to no other", () => {
  const { authorization } = configOf({
    "//npm.example.com/private/:_authToken": "t",
    "//basic.example.com/:_auth": "dTpw",
    "//user.example.com:8080/:username": "u",
    "//user.example.com:8080/:_password": Buffer.from("p").toString("base64"),
  });
  const of = (url: string) => authorization(new URL(url));
  expect(of("https://npm.example.com/private/a/-/a.tgz")).toBe("Bearer t");
  expect(of("https://npm.example.com/private/@s%2fa")).toBe("Bearer t");
  expect(of("https://npm.example.com/a")).toBeNull();
  expect(of("https://npm.example.com/privateer/a")).toBeNull();
  expect(of("https://evil.example.com/private/a")).toBeNull();
  expect(of("https://basic.example.com/a")).toBe("Basic dTpw");
  expect(of("http://user.example.com:8080/a")).toBe(`Basic ${Buffer.from("u:p").toString("base64")}`);
  expect(of("http://user.example.com/a")).toBeNull();
});

test("certificates are those of cafile, and are verified unless strict-ssl is false", () => {
  expect(configOf({})).toMatchObject({ ca: undefined, verifiesCertificates: true });
  expect(configOf({ cafile: "/ca.pem", "strict-ssl": "false" })).toMatchObject({
    ca: "content of /ca.pem",
    verifiesCertificates: false,
  });
});
