import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttemptLab, openAttemptLab } from "./open-attempt-lab.ts";
import { textsOf } from "./read-transcript.ts";
import { bash, steps, submit, write } from "./replay-steps.ts";

const CANARY = "canary-of-the-agent-0815";

let lab: AttemptLab;
let neighbour: ChildProcess;
beforeAll(async () => {
  process.env["SWARM_CANARY_KEY"] = CANARY;
  // A variable set at run time does not show in the /proc of this process, but in that of its children.
  neighbour = spawn("sleep", ["600"], { stdio: "ignore" });
  lab = await openAttemptLab();
});
afterAll(async () => {
  delete process.env["SWARM_CANARY_KEY"];
  neighbour.kill("SIGKILL");
  await lab[Symbol.asyncDispose]();
});

/** The output of a command that an agent runs. */
async function runByAgent(command: string): Promise<string> {
  const { transcript } = await lab.attempt({ steps: steps(bash(command), submit()) });
  return textsOf(transcript, "toolResult")[0] ?? "";
}

test("an agent can read neither the host's environment nor the model's real key", async ({ skip }) => {
  skip(lab.isolation === "none", "bubblewrap does not work here");
  const output = await runByAgent(
    "env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; cat .git/config; echo the end",
  );
  expect(output).toContain("the end");
  expect(output).toContain("PATH=");
  for (const secret of [CANARY, "SWARM_CANARY_KEY", "the-real-key", "swt_"])
    expect(output).not.toContain(secret);
});

test("a check of the target cannot read the host's environment", async ({ skip }) => {
  skip(lab.isolation === "none", "bubblewrap does not work here");
  const { result } = await lab.attempt({
    steps: steps(write("src/b.txt", "b\n"), submit()),
    checks: [{ name: "env", command: "env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'", timeoutMs: 10_000 }],
  });
  expect(result.end).toBe("submitted");
  expect(result.checks[0]?.outputTail).toContain("CI=true");
  expect(result.checks[0]?.outputTail).not.toContain(CANARY);
});

test("the relay answers only the paths of the model, not those of the runner", async ({ skip }) => {
  skip(
    lab.isolation === "none",
    "without its own network namespace the script cannot find the port of the relay",
  );
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
  const output = await runByAgent(`cat > /tmp/ask.cjs <<'END'\n${script}\nEND\nnode /tmp/ask.cjs`);
  const answers = output
    .trim()
    .split("\n")
    .map((line) => line.split(" ").slice(0, 3).join(" "));
  // The paths of the model need the key, which only the runner has.
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
