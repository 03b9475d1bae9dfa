import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A place that is searched, and its content. */
export type Searched = readonly [place: string, content: Buffer | string];

/** Every file below a folder, with its content as it lies on the disk. */
export function* filesBelow(dir: string, leftOut: (path: string) => boolean): Generator<Searched> {
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !leftOut(path)) yield [path, readFileSync(path)];
  }
}

/** The objects of a repository, unpacked: all, or those that are not reachable from `without`. */
export function objectsOf(repo: string, without?: string): Searched {
  const git = (args: string[], input = "") =>
    execFileSync("git", args, { cwd: repo, input, maxBuffer: 512 * 1024 * 1024 });
  if (without === undefined)
    return [`the objects of ${repo}`, git(["cat-file", "--batch-all-objects", "--batch"])];
  const ids = git(["rev-list", "--objects", "--no-object-names", "--all", "--not", without]).toString();
  return [`the new objects of ${repo}`, git(["cat-file", "--batch"], ids)];
}

/** Where a canary is, in which form. The places are named, never the canary. */
export function findCanaries(
  canaries: Readonly<Record<string, string>>,
  places: Iterable<Searched>,
): string[] {
  const wanted = Object.entries(canaries).map(([name, secret]) => [name, formsOf(secret)] as const);
  const found: string[] = [];
  for (const [place, content] of places) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (const [name, forms] of wanted)
      for (const [form, text] of forms) if (bytes.includes(text)) found.push(`${name} (${form}) in ${place}`);
  }
  return found;
}

/** The forms in which a secret is searched for. */
function formsOf(secret: string): (readonly [form: string, text: string])[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const percent = hex.replaceAll(/../g, "%$&");
  const plain: (readonly [string, string])[] = [
    ["plain", secret],
    ["URL-encoded", encodeURIComponent(secret)],
    ["reversed", Array.from(secret).toReversed().join("")],
    ["hex", hex],
    ["hex", hex.toUpperCase()],
    ["every byte escaped", percent],
    ["every byte escaped", percent.toUpperCase()],
    ["escaped in JSON", JSON.stringify(secret).slice(1, -1)],
  ];
  // What stands before it in the encoded text moves it by zero to two bytes; the characters it shares are left out.
  const encoded = [0, 1, 2].flatMap((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const whole = shifted.subarray(0, shifted.length - (shifted.length % 3));
    return (["base64", "base64url"] as const).map(
      (form) => [form, whole.toString(form).slice(before === 0 ? 0 : 4)] as const,
    );
  });
  const all = [...plain, ...encoded];
  return all.filter(([, text], at) => all.findIndex(([, other]) => other === text) === at);
}
