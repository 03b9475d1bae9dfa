// A runner that speaks the door's protocol, and does what the description of its task names.
import { spawn, execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import * as http2 from "node:http2";
import { Duplex } from "node:stream";

const session = http2.connect("http://door", {
  createConnection: () => Duplex.from({ readable: process.stdin, writable: process.stdout }),
});
session.on("error", () => process.exit(1));
process.on("SIGTERM", () => {});

async function ask(method, path, body, headers = {}) {
  const stream = session.request({ ":method": method, ":path": path, ...headers });
  stream.on("error", () => {});
  const answered = once(stream, "response");
  stream.end(body);
  const [answer] = await answered;
  return { status: answer[":status"], stream };
}
// Waits for `end`: helpers that watch both sides of an http2 stream may take it for closed too early.
const read = ({ stream }, onData) =>
  new Promise((resolve, reject) => {
    stream.on("data", onData);
    stream.on("end", resolve);
    stream.on("close", resolve);
    if (stream.destroyed) resolve();
    stream.on("aborted", () => reject(new Error("the host broke off")));
  });
async function text(answer) {
  let all = "";
  await read(answer, (chunk) => (all += chunk));
  return all;
}
const git = (...args) => execFileSync("git", args, { cwd: "repo", encoding: "utf8" }).trim();
const question = async () =>
  JSON.parse(await text(await ask("POST", "/question", '{"question":"Which port?","default":"80"}')));
const hang = () => new Promise(() => setInterval(() => {}, 1_000));

async function checkOut(base) {
  execFileSync("git", ["init", "--quiet", "repo"]);
  git("config", "user.name", "Fake");
  git("config", "user.email", "fake@example.com");
  for (const part of ["full", "thin", "resolve"]) {
    const answer = await ask("GET", `/bundle/${part}`);
    const chunks = [];
    await read(answer, (chunk) => chunks.push(chunk));
    if (answer.status === 204) continue;
    writeFileSync(`${part}.bundle`, Buffer.concat(chunks));
    git("fetch", "--quiet", `../${part}.bundle`, "+refs/*:refs/bundled/*");
  }
  git("checkout", "--quiet", "-B", "work", base);
}
function commit(base) {
  git("add", "--all");
  git("commit", "--quiet", "-m", "Fake work");
  git("bundle", "create", "--quiet", "../out.bundle", "work", `^${base}`);
  return git("rev-parse", "HEAD");
}
const NOTHING = {
  linesAdded: 9_999,
  linesRemoved: 9_999,
  filesCreated: 99,
  filesModified: 99,
  toolCalls: 1,
  turns: 99,
};
const METRICS = { ...NOTHING, tokensIn: 1, tokensOut: 1, tokensCached: 0, costUsd: 999, durationMs: 1 };
const result = (more) => ({
  outcome: "complete",
  summary: "done",
  end: "submitted",
  metrics: METRICS,
  headCommit: null,
  ...more,
});
async function handOver(body) {
  await text(await ask("PUT", "/result", typeof body === "string" ? body : JSON.stringify(body)));
  session.close();
  process.exit(0);
}

const assignment = JSON.parse(await text(await ask("GET", "/task")));
const { task, baseCommit, gatewayKey, model } = assignment;
const call = () =>
  ask("POST", "/v1/chat/completions", JSON.stringify({ model, messages: [] }), {
    authorization: `Bearer ${gatewayKey}`,
  });

const acts = {
  async work() {
    await checkOut(baseCommit);
    await text(
      await ask("POST", "/progress", JSON.stringify({ turn: 1, tool: "write", text: "\u001b[31mwork.txt" })),
    );
    await text(await ask("POST", "/transcript", '{"type":"message","text":"hello"}\n'));
    if ((await call()).status !== 200) throw new Error("no model");
    writeFileSync("repo/work.txt", "one\ntwo\n");
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle")));
    await handOver(result({ headCommit, filesChanged: ["a-lie.txt"] }));
  },
  async "work and pause"() {
    await checkOut(baseCommit);
    if ((await call()).status !== 200) throw new Error("no model");
    writeFileSync("repo/work.txt", "one\ntwo\n");
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle")));
    await text(await ask("POST", "/progress", JSON.stringify({ turn: 1, text: "ready" })));
    await new Promise((done) => setTimeout(done, 1_000));
    await handOver(result({ headCommit }));
  },
  async unsafe() {
    await checkOut(baseCommit);
    symlinkSync("/etc/passwd", "repo/link");
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle")));
    await handOver(result({ headCommit }));
  },
  async truncated() {
    await checkOut(baseCommit);
    writeFileSync("repo/work.txt", "half");
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle").subarray(0, 150)));
    await handOver(result({ headCommit }));
  },
  async "give up"() {
    await checkOut(baseCommit);
    writeFileSync("repo/work.txt", "not good");
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle")));
    await handOver(result({ headCommit, outcome: "failed", end: "failed", reason: "could not do it" }));
  },
  garbage: () => handOver("{{{"),
  empty: () => handOver(result({})),
  "no bundle": () => handOver(result({ headCommit: "f".repeat(40) })),
  "claim lost": () => handOver(result({ outcome: "failed", end: "lost" })),
  crash() {
    console.error("\u001b[31mboom");
    process.exit(7);
  },
  async noise() {
    session.removeAllListeners("error").on("error", () => {});
    process.stdout.write("this is not HTTP/2 ".repeat(1_000));
    await hang();
  },
  async silence() {
    await checkOut(baseCommit);
    writeFileSync("repo/half.txt", "half done\n");
    spawn("sh", ["-c", "trap '' TERM; while :; do sleep 1; done"], { stdio: "ignore" });
    await hang();
  },
  async wait() {
    await text(await ask("POST", "/progress", JSON.stringify({ turn: 1, text: "waiting" })));
    await hang();
  },
  // Asks in the midst of its work, and goes on upon it once the answer is there.
  async ask() {
    await checkOut(baseCommit);
    const { upon, answers = [] } = assignment;
    if (upon === undefined) writeFileSync("repo/half.txt", "half done\n");
    else git("merge", "--quiet", "--no-commit", "--no-ff", upon.headCommit);
    const answer = upon === undefined ? await question() : { kind: "known", text: answers[0].answer };
    if (answer.kind !== "parked") writeFileSync("repo/answer.txt", answer.text);
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle")));
    if (answer.kind === "parked") await handOver(result({ headCommit, outcome: "blocked", end: "parked" }));
    await handOver(result({ headCommit }));
  },
  async "ask and die"() {
    await checkOut(baseCommit);
    writeFileSync("repo/half.txt", "half done\n");
    await question();
    process.exit(7);
  },
  async "ask for a key"() {
    await checkOut(baseCommit);
    writeFileSync("repo/half.txt", "half done\n");
    const headCommit = commit(baseCommit);
    await text(await ask("PUT", "/bundle", readFileSync("out.bundle")));
    await handOver(result({ headCommit, outcome: "blocked", summary: "The key is missing." }));
  },
  async spend() {
    let status = 200;
    while (status === 200) {
      const answer = await call();
      status = answer.status;
      await text(answer);
    }
    await handOver(result({ outcome: "failed", end: "failed", reason: `the model failed: ${status}` }));
  },
  async probe() {
    const statuses = [];
    for (const path of ["/", "/v1/embeddings", "/../etc/passwd", "/v1/chat/completions?x=1"]) {
      const answer = await ask("POST", path, "{}");
      statuses.push(answer.status);
      answer.stream.resume();
    }
    const bare = await ask("GET", "/v1/models");
    bare.stream.resume();
    await handOver(result({ outcome: "blocked", summary: [...statuses, bare.status].join(" ") }));
  },
};
await acts[task.description]();
