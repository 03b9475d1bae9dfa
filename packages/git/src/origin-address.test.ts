import { expect, test } from "vitest";
import { maskCredential, originAddress } from "./origin-address.ts";

test.each([
  ["https://bot:t%40ken@host/x.git", undefined, "https://host/x.git", "bot", "t@ken"],
  ["https://ghp_token@host/x.git", undefined, "https://host/x.git", "ghp_token", ""],
  ["https://host/x.git", "ghp_token", "https://host/x.git", "x-access-token", "ghp_token"],
  ["https://old:one@host/x.git", "bot:a:b", "https://host/x.git", "bot", "a:b"],
])("the credential of %s is taken out of the URL", (given, setting, url, user, password) => {
  expect(originAddress(given, setting)).toEqual({ url, credential: { user, password, for: "https://host" } });
});

test.each([
  "https://host/x.git",
  "ssh://git@host/x.git",
  "git@host:x.git",
  "/srv/x.git",
  "file:///srv/x.git",
])("%s stays as it is", (url) => expect(originAddress(url)).toEqual({ url, credential: null }));

test("a text that repeats the credential is masked, as it is, encoded and in a header", () => {
  const { credential } = originAddress("https://bot:p%40ssword@host/x.git");
  const basic = Buffer.from("bot:p@ssword").toString("base64");
  const text = `p@ssword p%40ssword Basic ${basic}`;
  expect(maskCredential(text, credential)).toBe("[redacted] [redacted] Basic [redacted]");
});
