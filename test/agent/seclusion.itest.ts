import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bash, openLab, steps, submit, write, type Lab } from "./attempt-lab.ts";

const CANARY = "canary-of-the-agent-0815";

let lab: Lab;
let neighbour: ChildProcess;
beforeAll(async () => {
  process.env["SWARM_CANARY_KEY"] = CANARY;
  // What this process sets for itself does not show in its /proc; what it starts another one with does.
  neighbour = spawn("sleep", ["600"], { stdio: "ignore" });
  lab = await openLab();
});
afterAll(async () => {
  delete process.env["SWARM_CANARY_KEY"];
  neighbour.kill("SIGKILL");
  await lab[Symbol.asyncDispose]();
});

/** What a command prints when an agent runs it. */
async function seenBy(command: string): Promise<string> {
  const { transcript } = await lab.attempt({ steps: steps(bash(command), submit()) });
  return transcript.find((entry) => entry.role === "toolResult")?.text ?? "";
}

test("an agent sees nothing of the host's environment, nor the model's real key, anywhere it may read", async ({
  skip,
}) => {
  skip(lab.isolation === "none", "bubblewrap does not work here");
  const seen = await seenBy(
    "env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; cat .git/config; echo the end",
  );
  expect(seen).toContain("the end");
  expect(seen).toContain("PATH=");
  for (const secret of [CANARY, "SWARM_CANARY_KEY", "the-real-key", "swt_"])
    expect(seen).not.toContain(secret);
});

test("a check of the target sees nothing of it either", async ({ skip }) => {
  skip(lab.isolation === "none", "bubblewrap does not work here");
  const { result } = await lab.attempt({
    steps: steps(write("src/b.txt", "b\n"), submit()),
    checks: [{ name: "env", command: "env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'", timeoutMs: 10_000 }],
  });
  expect(result.end).toBe("submitted");
  expect(result.checks[0]?.outputTail).toContain("CI=true");
  expect(result.checks[0]?.outputTail).not.toContain(CANARY);
});

test("the relay to the model answers the model's paths only, not the runner's", async ({ skip }) => {
  skip(lab.isolation === "none", "without a network of its own the relay cannot be told from other servers");
  const script = `
    const port = parseInt(require("fs").readFileSync("/proc/net/tcp", "utf8").split("\\n")[1].trim().split(" ")[1].split(":")[1], 16);
    const ask = async (method, path) => {
      const response = await fetch("http://127.0.0.1:" + port + path, { method, body: method === "GET" ? undefined : "{}" });
      console.log(method, path, response.status, (await response.text()).slice(0, 80));
    };
    (async () => {
      for (const [method, path] of [["GET", "/task"], ["GET", "/bundle/full"], ["PUT", "/result"], ["PUT", "/bundle"],
        ["POST", "/progress"], ["GET", "/v1/models"], ["POST", "/v1/chat/completions"]]) await ask(method, path);
    })();`;
  const seen = await seenBy(`cat > /tmp/ask.cjs <<'END'\n${script}\nEND\nnode /tmp/ask.cjs`);
  const answers = seen
    .trim()
    .split("\n")
    .map((line) => line.split(" ").slice(0, 3).join(" "));
  // Even the model's paths want the key, which only the runner has.
  expect(answers).toEqual([
    "GET /task 404",
    "GET /bundle/full 404",
    "PUT /result 404",
    "PUT /bundle 404",
    "POST /progress 404",
    "GET /v1/models 401",
    "POST /v1/chat/completions 401",
  ]);
});
