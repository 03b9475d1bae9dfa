/** The parts of a commit object that a landing needs. */
export interface CommitObject {
  readonly tree: string;
  readonly parents: readonly string[];
  /** "Name <email> seconds zone", as git writes it. */
  readonly author: string;
  /** As `author`. */
  readonly committer: string;
  /** The `encoding` header, when the message is not UTF-8. */
  readonly encoding: string | null;
  readonly message: string;
}

export function parseCommit(body: Buffer): CommitObject {
  const text = body.toString("utf8");
  const end = text.indexOf("\n\n");
  const headers = (end === -1 ? text : text.slice(0, end)).split("\n");
  const first = (name: string) =>
    headers.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? null;
  const encoding = first("encoding");
  // Git reads parents only here, before the author; a parent line further down is none.
  const others = headers.findIndex((line, at) => at > 0 && !line.startsWith("parent "));
  const parents = headers.slice(1, others === -1 ? headers.length : others);
  return {
    tree: first("tree") ?? "",
    parents: parents.map((line) => line.slice("parent ".length)),
    author: first("author") ?? "",
    committer: first("committer") ?? "",
    encoding,
    message: end === -1 ? "" : decode(body.subarray(body.indexOf("\n\n") + 2), encoding),
  };
}

export function formatCommit(commit: {
  tree: string;
  parents: readonly string[];
  author: string;
  committer: string;
  message: string;
}): Buffer {
  const parents = commit.parents.map((parent) => `parent ${parent}\n`).join("");
  const people = `author ${commit.author}\ncommitter ${commit.committer}\n`;
  return Buffer.from(`tree ${commit.tree}\n${parents}${people}\n${commit.message}`);
}

/** Decodes a message. An encoding that Node does not know is read as latin1, so that no byte is lost. */
function decode(bytes: Buffer, encoding: string | null): string {
  if (encoding === null) return bytes.toString("utf8");
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
