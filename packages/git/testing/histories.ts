import fc from "fast-check";

/** Files of one commit: path to mode and content. */
export type Files = Readonly<Record<string, { readonly mode: string; readonly content: string }>>;

/** A base and two sides with random changes. */
export interface Fork {
  readonly base: Files;
  readonly ours: Files;
  readonly theirs: Files;
}

const NAMES = ["a", "b", "A", "ä", "日本", "a b", "x.txt", "x-y", "x"];
const path = fc
  .array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("/"));
const LINES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
/** Contents whose lines can be changed; long enough for git to detect a rename. */
const text = fc
  .record({ from: fc.nat(3), ending: fc.constantFrom("\n", "\r\n"), tag: fc.constantFrom("", "p", "q", "r") })
  .map(({ from, ending, tag }) =>
    LINES.slice(from)
      .map((line) => line + tag + ending)
      .join(""),
  );
const content = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 1, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom("\0binary\u0001", "\0binary\u0002", "no newline at the end") },
);
const mode = fc.oneof(
  { weight: 8, arbitrary: fc.constant("100644") },
  { weight: 1, arbitrary: fc.constant("100755") },
  { weight: 1, arbitrary: fc.constant("120000") },
);
const file = fc.record({ mode, content });

type Change = (files: Files) => Files;
const nth = <T>(items: readonly T[], index: number): T | undefined =>
  items[index % Math.max(items.length, 1)];
const at = (pick: number, change: (files: Files, path: string) => Files): Change => {
  return (files) => {
    const chosen = nth(Object.keys(files).toSorted(), pick);
    return chosen === undefined ? files : change(files, chosen);
  };
};

/** Puts a file at a path, and removes the files and folders that are in its place. */
function put(files: Files, where: string, what: Files[string]): Files {
  const inTheWay = (other: string) => other.startsWith(`${where}/`) || where.startsWith(`${other}/`);
  const kept = Object.entries(files).filter(([other]) => other !== where && !inTheWay(other));
  return Object.fromEntries([...kept, [where, what]]);
}
function without(files: Files, gone: (path: string) => boolean): Files {
  return Object.fromEntries(Object.entries(files).filter(([one]) => !gone(one)));
}
function move(files: Files, from: string, to: string): Files {
  const moved = files[from];
  return moved === undefined
    ? files
    : put(
        without(files, (one) => one === from),
        to,
        moved,
      );
}

const pick = fc.nat(20);
const edit = fc.tuple(pick, fc.nat(9), fc.constantFrom("P", "Q")).map(([which, line, mark]) =>
  at(which, (files, where) => {
    const { mode: kept, content: before } = files[where] as Files[string];
    const lines = before.split("\n");
    const changed = lines.map((one, index) => (index === line % lines.length ? `${one}${mark}` : one));
    return put(files, where, { mode: kept, content: changed.join("\n") });
  }),
);
const add = fc.tuple(path, file).map(
  ([where, what]): Change =>
    (files) =>
      put(files, where, what),
);
const remove = pick.map((which) => at(which, (files, where) => without(files, (one) => one === where)));
const changeMode = fc
  .tuple(pick, mode)
  .map(([which, to]) =>
    at(which, (files, where) => put(files, where, { ...(files[where] as Files[string]), mode: to })),
  );
const rename = fc.tuple(pick, path).map(([which, to]) => at(which, (files, where) => move(files, where, to)));
/** Moves a whole folder, or all files. */
const renameFolder = fc.tuple(pick, path).map(([which, to]) =>
  at(which, (files, where) => {
    const folder = where.includes("/") ? where.slice(0, where.indexOf("/") + 1) : "";
    return Object.keys(files)
      .filter((one) => one.startsWith(folder))
      .reduce((moved, one) => move(moved, one, `${to}/${one.slice(folder.length)}`), files);
  }),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: edit },
  { weight: 2, arbitrary: add },
  remove,
  changeMode,
  rename,
  renameFolder,
);

const apply = (files: Files, changes: readonly Change[]) => changes.reduce((now, one) => one(now), files);

export const fork: fc.Arbitrary<Fork> = fc
  .record({
    base: fc.array(fc.tuple(path, file), { maxLength: 8 }),
    shared: fc.array(change, { maxLength: 1 }),
    ours: fc.array(change, { maxLength: 4 }),
    theirs: fc.array(change, { maxLength: 4 }),
  })
  .map(({ base, shared, ours, theirs }) => {
    const start = base.reduce<Files>((files, [where, what]) => put(files, where, what), {});
    // Sometimes both sides make the same change.
    return {
      base: start,
      ours: apply(start, [...shared, ...ours]),
      theirs: apply(start, [...shared, ...theirs]),
    };
  });
