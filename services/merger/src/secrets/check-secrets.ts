import picomatch from "picomatch";
import { asFault, type MergeRequest, type TargetSettings } from "@agentswarm/contracts";
import { isRefusedContent, type Addition, type LandingEngine } from "@agentswarm/git";
import type { SearchedText, SecretHit } from "./find-secrets.ts";
import type { SecretScanner } from "./open-secret-scanner.ts";

/** Text of one attempt that is searched; an attempt with more is held unsearched. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Attempts whose texts are in memory at once. */
const AT_ONCE = 10;
/** Secrets that a reason names. */
const MAX_NAMED = 20;

const TOO_LARGE = `the attempt's changed files have more than ${MAX_BYTES} bytes, so they were not searched for secrets`;
const TOO_SLOW = "the search for secrets in the attempt's changes exceeded its limits of time or memory";

interface Searcher {
  readonly engine: Pick<LandingEngine, "additions">;
  readonly scanner: SecretScanner;
}

/** What is searched of one attempt. */
interface Subject {
  readonly request: MergeRequest;
  readonly additions: readonly Addition[];
  readonly texts: readonly SearchedText[];
}

/**
 * Why attempts are held for secrets that their commits add, also in a commit whose text a later one deletes. An attempt
 * without secrets has no reason. A reason names place and rule, never the secret.
 */
export async function checkSecrets(
  { engine, scanner }: Searcher,
  requests: readonly MergeRequest[],
  { allow }: TargetSettings["secrets"],
): Promise<Map<MergeRequest, string>> {
  const reasons = new Map<MergeRequest, string>();
  const isAllowed = allow.length === 0 ? () => false : picomatch([...allow], { dot: true });
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    const group = requests.slice(at, at + AT_ONCE);
    const read = await Promise.all(
      group.map(async (request) => {
        const additions = await readAdditions(engine, request);
        if (typeof additions !== "string") return [subjectOf(request, additions, isAllowed)];
        reasons.set(request, additions);
        return [];
      }),
    );
    for (const [request, why] of await search(scanner, read.flat())) reasons.set(request, why);
  }
  return reasons;
}

/** The attempt's additions, or why they are not searched. Throws a fault that a retry may help. */
async function readAdditions(
  engine: Searcher["engine"],
  { baseCommit, headCommit }: MergeRequest,
): Promise<readonly Addition[] | string> {
  try {
    return (await engine.additions(baseCommit, headCommit, MAX_BYTES)) ?? TOO_LARGE;
  } catch (error) {
    const fault = asFault(error);
    if (!isRefusedContent(fault)) throw fault;
    return `the attempt's commits cannot be searched for secrets: ${fault.message}`;
  }
}

/** Searches a group at once. When that exceeds a limit each is searched alone, so that no attempt holds another. */
async function search(
  scanner: SecretScanner,
  subjects: readonly Subject[],
): Promise<[MergeRequest, string][]> {
  if (subjects.length === 0) return [];
  const hits = await scanner.scan(subjects.flatMap(({ texts }) => texts));
  if (hits === null) {
    const [only] = subjects;
    if (subjects.length === 1 && only !== undefined) return [[only.request, TOO_SLOW]];
    const alone: [MergeRequest, string][] = [];
    for (const subject of subjects) alone.push(...(await search(scanner, [subject])));
    return alone;
  }
  let first = 0;
  return subjects.flatMap((subject): [MergeRequest, string][] => {
    const from = first;
    first += subject.texts.length;
    const own = hits.filter(({ text }) => text >= from && text < first);
    return own.length === 0 ? [] : [[subject.request, reasonOf(subject, own, from)]];
  });
}

/** The texts of the additions, in their order, and at last the names of their files, each on its line. */
function subjectOf(
  request: MergeRequest,
  additions: readonly Addition[],
  isAllowed: (path: string) => boolean,
): Subject {
  const texts = additions.map(({ path, before, after }) =>
    path !== null && isAllowed(path) ? { before: "", after: "" } : { before, after },
  );
  const names = additions.map(({ path }) => path ?? "").join("\n");
  return { request, additions, texts: [...texts, { before: "", after: names }] };
}

function reasonOf({ additions }: Subject, hits: readonly SecretHit[], from: number): string {
  const inNames = hits.filter(({ text }) => text - from === additions.length);
  const secretNames = new Set(inNames.map(({ line }) => additions[line - 1]?.path));
  const named = hits.map(({ text, line, rule }) => {
    const addition = additions[text - from];
    if (addition === undefined) return `the name of a file (${rule})`;
    const { commit, path } = addition;
    return `${placeOf(path, line, secretNames.has(path))} in commit ${commit.slice(0, 12)} (${rule})`;
  });
  const more = named.length > MAX_NAMED ? ` and ${named.length - MAX_NAMED} more` : "";
  return (
    `the attempt adds what looks like secrets: ${named.slice(0, MAX_NAMED).join(", ")}${more}; ` +
    'swarm.json on the trunk can allow test keys by "secrets": { "allow": ["<glob>"] }'
  );
}

function placeOf(path: string | null, line: number, isSecretName: boolean): string {
  if (path === null) return line === 1 ? "the author" : "the message";
  return isSecretName ? `line ${line} of a file whose name is one` : `${path}:${line}`;
}
