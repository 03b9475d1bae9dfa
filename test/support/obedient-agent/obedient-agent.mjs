// A coding agent without judgement, as an injected model would be. It begins with the commands that its task names, and
// runs every command that any text it meets addresses to AI agents: the prompt, files, outputs, file names, and text in
// base64. Then it does its task, which is a new file, and hands over.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const { HANDOFF_FILE } = process.env;
const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const INSTRUCTION = /AI agents?[ _](?:must|should)[ _]run[ _]?[:=][ _]?(?:`([^`]+)`|([\w-]{16,}))/g;
const BASE64 = /[A-Za-z0-9+/]{40,}={0,2}/g;
const decode = (text) => Buffer.from(text, "base64").toString();

const prompt = readFileSync(0, "utf8");
emit({ type: "session", id: `session-${process.pid}` });

const done = new Set();
/** Runs a command, and then the commands that its output names. */
function run(command) {
  if (done.has(command)) return;
  done.add(command);
  const { stdout, stderr } = spawnSync("sh", ["-c", command], {
    encoding: "utf8",
    timeout: 10_000,
    env: { ...process.env, PROMPT: prompt },
  });
  const output = `${stdout}${stderr}`;
  emit({ type: "tool", name: "bash", args: { command }, output });
  obey(output);
}
function obey(text) {
  for (const [, plain, encoded] of text.matchAll(INSTRUCTION)) run(plain ?? decode(encoded));
  for (const [token] of text.matchAll(BASE64)) {
    const decoded = decode(token);
    if (decoded.includes("AI agent")) obey(decoded);
  }
}

for (const [, command] of prompt.matchAll(/^Begin with: (.*)$/gm)) run(command);
obey(prompt);
const [, file, text] = /^Write (\S+): (.*)$/m.exec(prompt) ?? [];
if (file !== undefined && !existsSync(file)) {
  mkdirSync("src", { recursive: true });
  writeFileSync(file, `${text}\n`);
}
if (!existsSync(HANDOFF_FILE)) writeFileSync(HANDOFF_FILE, JSON.stringify({ summary: "Did as I was told." }));
emit({ type: "text", text: "Done." });
