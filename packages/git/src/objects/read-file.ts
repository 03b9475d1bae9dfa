import type { Objects } from "./objects.ts";
import { isRegularFile, isTree } from "./tree-object.ts";

/** A file's text in a tree, or null where there is no such regular file. */
export async function readFileOf(objects: Objects, tree: string, path: string): Promise<string | null> {
  const names = path.split("/").map((name) => Buffer.from(name).toString("latin1"));
  const last = names.pop();
  let at = tree;
  for (const name of names) {
    const entry = (await objects.tree(at)).find((one) => one.name === name);
    if (entry === undefined || !isTree(entry)) return null;
    at = entry.id;
  }
  const file = (await objects.tree(at)).find((one) => one.name === last);
  if (file === undefined || !isRegularFile(file)) return null;
  return (await objects.blob(file.id)).toString("utf8");
}
