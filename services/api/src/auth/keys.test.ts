import { expect, test } from "vitest";
import { addKey, checkKey, keysSchema, refuseWithoutAdmin, revokeKey, rotateKey, summaryOf } from "./keys.ts";

const NOW = 1_000_000;
const FOREVER = { expiresAt: null };
const make = (wish: Partial<Parameters<typeof addKey>[1]> = {}, keys: Parameters<typeof addKey>[0] = []) =>
  addKey(keys, { role: "submitter", ...FOREVER, ...wish }, NOW);

test("a key is known by its text alone, and is shown without its secret", () => {
  const { keys, made } = make({ name: "ada", role: "reviewer" });
  expect(checkKey(keys, made.text, NOW)).toMatchObject({ kind: "valid", key: { name: "ada" } });
  for (const wrong of ["", "ask__", `${made.text}0`, made.text.replace(/_[^_]+$/, "_00"), made.key.id])
    expect(checkKey(keys, wrong, NOW)).toEqual({ kind: "unknown" });
  const secret = made.text.split("_")[2] as string;
  expect(JSON.stringify(keys)).not.toContain(secret);
  expect(JSON.stringify(summaryOf(made.key, NOW))).not.toContain(made.key.secrets[0]?.hash);
});

test("keys of version 0.1 are read, and none has more rights than its scope gave", () => {
  const old = { id: "0123456789ab", hash: "00", createdAt: 1, expiresAt: 7 };
  const read = keysSchema.parse(["read", "write", "approve"].map((scope) => ({ ...old, scope })));
  expect(read.map((key) => key.role)).toEqual(["viewer", "submitter", "operator"]);
  expect(read[0]).toEqual({
    id: old.id,
    name: null,
    role: "viewer",
    createdAt: 1,
    secrets: [{ hash: "00", createdAt: 1, expiresAt: 7 }],
  });
  expect(keysSchema.parse(JSON.parse(JSON.stringify(read)))).toEqual(read);
  expect(keysSchema.safeParse([{ ...old, scope: "everything" }]).success).toBe(false);
});

test("after a rotation both secrets are valid until the overlap ends, then the new one alone", () => {
  const first = make({ name: "ada" });
  const second = rotateKey(first.keys, "ada", { overlapMs: 100 }, NOW);
  const kinds = (now: number) =>
    [first.made.text, second.made.text].map((text) => checkKey(second.keys, text, now).kind);
  expect(kinds(NOW + 99)).toEqual(["valid", "valid"]);
  expect(kinds(NOW + 100)).toEqual(["rotated", "valid"]);
  expect(second.made.key).toMatchObject({ id: first.made.key.id, name: "ada", role: "submitter" });
  expect(summaryOf(second.made.key, NOW)).toMatchObject({ rotatedAt: NOW, formerUntil: NOW + 100 });
  expect(summaryOf(second.made.key, NOW + 100)).toMatchObject({ formerUntil: null });
});

test("a second rotation without an overlap ends all secrets before it, those of the first overlap too", () => {
  const first = make();
  const { id } = first.made.key;
  const second = rotateKey(first.keys, id, { overlapMs: 1_000 }, NOW);
  const third = rotateKey(second.keys, id, { overlapMs: 0 }, NOW + 1);
  const texts = [first, second, third].map(({ made }) => made.text);
  const kinds = texts.map((text) => checkKey(third.keys, text, NOW + 1).kind);
  expect(kinds).toEqual(["rotated", "rotated", "valid"]);
});

test("a rotation makes no secret live longer than it would have, and keeps the key's end unless another is given", () => {
  const first = make({ expiresAt: NOW + 10 });
  const { id } = first.made.key;
  const kept = rotateKey(first.keys, id, { overlapMs: 1_000 }, NOW);
  const kinds = (keys: typeof kept.keys, now: number) =>
    [first.made.text, kept.made.text].map((text) => checkKey(keys, text, now).kind);
  expect(kinds(kept.keys, NOW + 9)).toEqual(["valid", "valid"]);
  expect(kinds(kept.keys, NOW + 10)).toEqual(["rotated", "expired"]);
  const renewed = rotateKey(kept.keys, id, { overlapMs: 0, expiresAt: NOW + 50 }, NOW + 20);
  expect(checkKey(renewed.keys, renewed.made.text, NOW + 49).kind).toBe("valid");
  expect(kinds(renewed.keys, NOW + 20)).toEqual(["rotated", "rotated"]);
});

test("an expired key is rotated only with a new end", () => {
  const { keys, made } = make({ expiresAt: NOW });
  expect(() => rotateKey(keys, made.key.id, { overlapMs: 0 }, NOW)).toThrow("for how many days");
  const { made: renewed, keys: after } = rotateKey(keys, made.key.id, { overlapMs: 0, expiresAt: null }, NOW);
  expect(checkKey(after, renewed.text, NOW + 1e9).kind).toBe("valid");
});

test("a name belongs to one key, and is free again when that one is revoked", () => {
  const { keys } = make({ name: "ada" });
  expect(() => make({ name: "ada" }, keys)).toThrow("there is a key of the name ada already");
  const left = revokeKey(keys, "ada").keys;
  expect(left).toEqual([]);
  expect(make({ name: "ada" }, left).made.key.name).toBe("ada");
});

test("a revoked key is unknown, and an unknown one cannot be revoked or rotated", () => {
  const { keys, made } = make();
  const left = revokeKey(keys, made.key.id).keys;
  expect(checkKey(left, made.text, NOW)).toEqual({ kind: "unknown" });
  expect(() => revokeKey(left, made.key.id)).toThrow(`there is no key ${made.key.id}`);
  expect(() => rotateKey(left, made.key.id, { overlapMs: 0 }, NOW)).toThrow("there is no key");
});

test("keys without a valid one of an admin are refused", () => {
  const admin = make({ role: "admin", expiresAt: NOW + 10 });
  expect(() => refuseWithoutAdmin(admin.keys, NOW)).not.toThrow();
  expect(() => refuseWithoutAdmin(admin.keys, NOW + 10)).toThrow("no key of an admin would be left");
  expect(() => refuseWithoutAdmin(make({ role: "operator" }).keys, NOW)).toThrow("no key of an admin");
});
