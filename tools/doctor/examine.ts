import type { Environment } from "@agentswarm/service";
import type { DoctorSettings } from "./config.ts";
import { examineImages } from "./examine-images.ts";
import { examineModel } from "./examine-model.ts";
import { examineOrigin } from "./examine-origin.ts";
import { examineGit, examineNode, examineSearchTools } from "./examine-programs.ts";
import { examinePush } from "./examine-push.ts";
import { examineRedis } from "./examine-redis.ts";
import { examineSample } from "./examine-sample.ts";
import { examineSandbox, openProvider } from "./examine-sandbox.ts";
import { examineSizes } from "./examine-sizes.ts";
import { examineChecks } from "./examine-target.ts";
import { fail, type Finding } from "./finding.ts";
import { openTarget } from "./open-target.ts";
import { tryTarget } from "./try-target.ts";

export interface ExamineOptions {
  /** Also tries the target's dependencies and checks. */
  readonly isDeep: boolean;
  /** The programs that npm start would unpack, by name. */
  readonly unpacks: ReadonlySet<string>;
}

/** Everything that is examined, in the order in which it is shown. */
export async function examine(
  settings: DoctorSettings,
  env: Environment,
  { isDeep, unpacks }: ExamineOptions,
): Promise<Finding[]> {
  const sandbox = await examineSandbox(settings, env, unpacks);
  return [
    examineNode(),
    examineGit(),
    // With another provider they come with the sandbox's image.
    ...(settings.SANDBOX_PROVIDER === "local" ? examineSearchTools(settings.SWARM_TOOLS, unpacks) : []),
    await examineRedis(settings, unpacks),
    sandbox,
    ...examineImages(settings),
    ...(await examineModel(env, isDeep)),
    ...(await examineSample(settings, env)),
    ...(await examineRepository(settings, env, isDeep && sandbox.state !== "fail")),
    ...(await examineSizes(settings, env)),
  ];
}

async function examineRepository(
  settings: DoctorSettings,
  env: Environment,
  isDeep: boolean,
): Promise<Finding[]> {
  const origin = await examineOrigin(settings);
  if (origin.state === "fail") return [origin];
  try {
    await using target = await openTarget(settings);
    // An empty target gets its first commit at the start.
    if (target === null) return [origin];
    const { finding, found } = await examineChecks(target);
    const findings = [origin, ...(await examinePush(settings, target)), finding];
    if (!isDeep || found === null) return findings;
    const provider = await openProvider(settings, env);
    return [...findings, ...(await tryTarget({ provider, home: settings.SWARM_HOME, env }, target, found))];
  } catch (error) {
    return [origin, fail("target", (error as Error).message, "correct GIT_REPO_URL or TRUNK")];
  }
}
