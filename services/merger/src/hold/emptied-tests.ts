/** A test file before and after an attempt; null: no regular file. */
export interface TestChange {
  readonly path: string;
  readonly before: string;
  readonly after: string | null;
}

/** Common names of tests: by folder or by file. */
const TEST_FILE =
  /(?:^|\/)(?:tests?|__tests__|specs?|checks|e2e)\/|(?:[._-](?:test|tests|spec|itest|e2e|cy)\.[cm]?[jt]sx?|(?:^|\/)test_[^/]*\.py|_(?:test|spec)\.(?:py|go|rb|rs|exs|dart)|(?:Test|Tests|Spec)\.(?:java|kt|cs|php|swift|scala))$/;

/** A file with fewer lines may be rewritten as a whole. */
const FEWEST_LINES = 10;
/** What must be left of a test's lines, cases and assertions. */
const LEAST_LEFT = 0.2;

/** Characters of a file that are looked at. */
const MAX_CHARS = 512 * 1024;

// Every repetition is bounded, because the text is an agent's: no pattern may take quadratic time.
const LINE_COMMENT = /(?<![:\w"'`])\/\/[^\n]*|^[ \t]*#(?!\[)[^\n]*/gm;
const TAUTOLOGY =
  /\bassert(?:\.(?:ok|equal|strictEqual))?\s{0,9}\(\s{0,9}(?:true|1)\s{0,9}(?:,[^)\n]{0,99})?\)|\bexpect\s{0,9}\(\s{0,9}(true|false|null|undefined|\d{1,9}|"[^"\n]{0,99}"|'[^'\n]{0,99}')\s{0,9}\)\s{0,9}\.\w{1,30}\(\s{0,9}\1?\s{0,9}\)|\bassert\s{1,9}True\b|\bassert!\s{0,9}\(\s{0,9}true\s{0,9}\)/g;
const CASE =
  /\b(?:test|it|specify|scenario)(?:\.\w{1,30}(?:\([^)\n]{0,99}\))?){0,4}\s{0,9}[(`"']|\bdef\s{1,9}test_|\bfunc\s{1,9}Test\w|#\[(?:\w{1,30}::)?test\b|@Test\b|\[(?:Fact|Theory|Test)\b|\bfunction\s{1,9}test\w/g;
const ASSERTION =
  /\b(?:t|require)\.\w{1,30}\(|\b(?:expect|assert|should|ok|equal|deepEqual|throws|rejects|raises)\w{0,30}(?:\s{0,30}\.\s{0,30}\w{1,30}){0,4}!?\s{0,9}\(|\bassert\s{1,9}\S|\.should\b/g;
const SKIP =
  /\b(?:test|it|describe|suite|context|specify)(?:\.\w{1,30}){0,3}\.(?:skip|todo|only|skipIf|runIf|fails|failing|fixme)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)\s{0,9}\(|\bskip\s{0,9}:\s{0,9}(?:true|["'`])|\b(?:todo|only)\s{0,9}:\s{0,9}true|@(?:pytest\.mark\.|unittest\.)(?:skip|xfail)\w{0,30}|\bpytest\.skip\s{0,9}\(|\b[tb]\.Skip(?:f|Now)?\s{0,9}\(|#\[ignore\b|@(?:Disabled|Ignore)\b|\bprocess\.exit\s{0,9}\(|\bos\._exit\s{0,9}\(/g;

export function isTestFile(path: string): boolean {
  return TEST_FILE.test(path);
}

/**
 * Why a changed test counts as emptied; null when it does not. A heuristic on the text: comments and assertions that
 * cannot fail count for nothing.
 */
export function whyEmptied({ before, after }: TestChange): string | null {
  if (after === null) return "is no regular file any more";
  const [old, now] = [measure(before), measure(after)];
  if (old.lines >= FEWEST_LINES && now.lines < old.lines * LEAST_LEFT)
    return `shrinks from ${old.lines} to ${now.lines} lines`;
  if (lost(old.cases, now.cases)) return `has ${now.cases} test cases left of ${old.cases}`;
  if (lost(old.assertions, now.assertions))
    return `has ${now.assertions} assertions left of ${old.assertions}`;
  if (now.skips > old.skips) return "skips tests, or ends their run early";
  return null;
}

function lost(before: number, after: number): boolean {
  return before > 0 && after < before * LEAST_LEFT;
}

function measure(text: string) {
  const code = withoutComments(text.slice(0, MAX_CHARS));
  const count = (source: string, pattern: RegExp) => source.match(pattern)?.length ?? 0;
  return {
    lines: code.split("\n").filter((line) => line.trim() !== "").length,
    cases: count(code, CASE),
    assertions: count(code.replaceAll(TAUTOLOGY, ""), ASSERTION),
    skips: count(code, SKIP),
  };
}

function withoutComments(text: string): string {
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("/*", at);
    const close = open === -1 ? -1 : text.indexOf("*/", open + 2);
    if (close === -1) break;
    kept.push(text.slice(at, open));
    at = close + 2;
  }
  kept.push(text.slice(at));
  return kept.join("").replaceAll(LINE_COMMENT, "");
}
