import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { featureInputSchema, slug, type FeatureInput } from "@agentswarm/contracts";
import { readScenario, type ScenarioEntry } from "@agentswarm/replay";

const ROOT = join(import.meta.dirname, "../../..");
const DEMO = join(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");

interface PlannedTask {
  readonly key: string;
  readonly scope: readonly string[];
  readonly dependsOn: readonly string[];
}

/** One planned task of the recording, with its conversation. */
export interface RecordedTask extends PlannedTask {
  readonly feature: string;
  readonly work: ScenarioEntry;
  readonly resolve: ScenarioEntry | undefined;
}

export interface Recording {
  readonly features: readonly string[];
  readonly tasks: readonly RecordedTask[];
  entry(key: string): ScenarioEntry | undefined;
}

/** Reads features.json and its recorded plans and conversations. Throws when a task has no conversation. */
export async function readRecording(): Promise<Recording> {
  const entries = await readScenario(join(DEMO, "scenario"));
  const entry = (key: string) => entries.find((one) => one.key === key);
  const submitted = JSON.parse(await readFile(join(DEMO, "features.json"), "utf8")) as FeatureInput[];
  const features = submitted.map((feature) => slug(featureInputSchema.parse(feature).title));
  const tasks = features.flatMap((feature) => {
    const plan = entry(`${feature}/-/plan`)?.answer as { tasks: PlannedTask[] } | undefined;
    if (plan === undefined) throw new Error(`no plan is recorded for ${feature}`);
    return plan.tasks.map((task): RecordedTask => {
      const work = entry(`${feature}/${task.key}/work`);
      if (work === undefined) throw new Error(`no conversation is recorded for ${feature}/${task.key}`);
      return { ...task, feature, work, resolve: entry(`${feature}/${task.key}-resolve/resolve`) };
    });
  });
  return { features, tasks, entry };
}

/** Sorts tasks so that each comes after its dependencies; otherwise the order is kept. */
export function inOrder(tasks: readonly RecordedTask[]): RecordedTask[] {
  const done = new Set<string>();
  const sorted: RecordedTask[] = [];
  while (sorted.length < tasks.length) {
    const next = tasks.find(
      (task) => !sorted.includes(task) && task.dependsOn.every((key) => done.has(`${task.feature}/${key}`)),
    );
    if (next === undefined) throw new Error("the recorded plan has a cycle of dependencies");
    sorted.push(next);
    done.add(`${next.feature}/${next.key}`);
  }
  return sorted;
}

/** Runs a command in the target like one of its checks: with Node and the commands of the dependencies on PATH. */
export async function runIn(dir: string, command: string): Promise<{ exitCode: number; output: string }> {
  const path = [dirname(process.execPath), BIN, "/usr/local/bin", "/usr/bin", "/bin"].join(":");
  const child = spawn("sh", ["-c", command], {
    cwd: dir,
    env: { PATH: path, HOME: dir, NO_COLOR: "1", CI: "true" },
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? -1));
  });
  return { exitCode, output };
}

interface Edit {
  readonly oldText: string;
  readonly newText: string;
}

export interface PlayOptions {
  /** Called with every path that is written. */
  readonly onWrite?: (path: string) => void;
  /** Called at each `submit` with the number so far and the number in all. */
  readonly onSubmit?: (count: number, of: number) => Promise<void>;
  /** Whether shell commands are run, too. */
  readonly withShell?: boolean;
}

/** Applies a recorded conversation to a work tree. Throws where the agent's tool would refuse an edit. */
export async function play(dir: string, entry: ScenarioEntry, options: PlayOptions = {}): Promise<void> {
  const calls = (entry.steps ?? []).flatMap((step) => step.calls);
  const submits = calls.filter(({ tool }) => tool === "submit").length;
  let submitted = 0;
  for (const { tool, args } of calls) {
    if (tool === "write") {
      const { path, content } = args as { path: string; content: string };
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), content);
      options.onWrite?.(path);
    } else if (tool === "edit") {
      const { path, edits } = args as { path: string; edits: Edit[] };
      const before = await readFile(join(dir, path), "utf8");
      let after = before;
      for (const { oldText, newText } of edits) {
        const found = before.split(oldText).length - 1;
        if (found !== 1) throw new Error(`${entry.key}: ${path} holds ${found} times: ${oldText}`);
        after = after.replace(oldText, () => newText);
      }
      await writeFile(join(dir, path), after);
      options.onWrite?.(path);
    } else if (tool === "bash" && options.withShell) {
      await runIn(dir, (args as { command: string }).command);
    } else if (tool === "submit") {
      submitted++;
      await options.onSubmit?.(submitted, submits);
    }
  }
}
