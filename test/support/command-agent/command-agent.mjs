// A small coding agent with a command line. It asks the model at OPENAI_BASE_URL, executes the tool calls, and ends at an
// answer without a tool call. Its sessions are files in HOME, and it prints its events as JSON lines.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

const { OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL, HOME } = process.env;
const { values } = parseArgs({ options: { session: { type: "string" }, "prompt-file": { type: "string" } } });
const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const id = values.session ?? `session-${process.pid}`;
const file = join(HOME, `${id}.json`);
const messages = values.session === undefined ? [] : JSON.parse(readFileSync(file, "utf8"));
const promptFile = values["prompt-file"];
messages.push({ role: "user", content: readFileSync(promptFile ?? 0, "utf8") });

const TOOLS = {
  write({ path, content }) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return "written";
  },
  bash({ command }) {
    const { stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    return `${stdout}${stderr}`;
  },
};
const tools = Object.keys(TOOLS).map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", additionalProperties: true } },
}));

emit({ type: "session", id });
for (;;) {
  const response = await fetch(`${OPENAI_BASE_URL}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${OPENAI_API_KEY}` },
    body: JSON.stringify({ model: OPENAI_MODEL, messages, tools }),
  });
  const answer = await response.json();
  if (!response.ok) {
    emit({ type: "error", message: answer.error.message });
    process.exit(1);
  }
  const { message } = answer.choices[0];
  messages.push(message);
  if (message.content) emit({ type: "text", text: message.content });
  if (!message.tool_calls?.length) break;
  for (const { id: callId, function: call } of message.tool_calls) {
    const args = JSON.parse(call.arguments);
    const output = TOOLS[call.name](args);
    messages.push({ role: "tool", tool_call_id: callId, content: output });
    emit({ type: "tool", name: call.name, args, output });
  }
}
writeFileSync(file, JSON.stringify(messages));
