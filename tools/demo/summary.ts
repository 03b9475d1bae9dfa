import type { FeatureDetail, SwarmStatus } from "@agentswarm/contracts";

/** The result of a demo; printed as its last line with --json. */
export interface Summary {
  readonly features: { readonly done: number; readonly failed: number };
  readonly tasks: number;
  readonly attempts: number;
  readonly landed: number;
  readonly conflicts: number;
  readonly fixes: number;
  readonly green: boolean;
  readonly trunk: string | null;
  readonly durationMs: number;
  readonly landingsPerHour: number;
}

const HOUR_MS = 3_600_000;

/** Adds up the features and the standing feature for fixes, as the api shows them. */
export function summarise(
  features: readonly FeatureDetail[],
  health: FeatureDetail | null,
  status: SwarmStatus,
  durationMs: number,
): Summary {
  const tasks = [...features, ...(health === null ? [] : [health])].flatMap((feature) => feature.tasks);
  const landed = tasks.filter((task) => task.status === "landed").length;
  return {
    features: {
      done: features.filter((feature) => feature.status === "done").length,
      failed: features.filter((feature) => feature.status !== "done").length,
    },
    tasks: tasks.length,
    attempts: tasks.reduce((sum, task) => sum + task.attempts, 0),
    landed,
    conflicts: tasks.filter((task) => task.kind === "resolve").length,
    fixes: tasks.filter((task) => task.kind === "fix" && task.status === "landed").length,
    green: status.trunk !== null && status.trunk === status.green,
    trunk: status.trunk,
    durationMs: Math.round(durationMs),
    landingsPerHour: Math.round((landed * HOUR_MS) / durationMs),
  };
}

/** Whether every feature is done and green is the trunk. */
export function succeeded(summary: Summary): boolean {
  return summary.features.failed === 0 && summary.green;
}
