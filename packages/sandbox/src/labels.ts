import type { SandboxLabels } from "./sandbox.ts";

type LabelValues = { readonly [name in keyof SandboxLabels]?: string | undefined };

/** Makes labels of what a provider stored. `task` and `attempt` stay absent where they were not set. */
export function toLabels({ swarm = "", purpose = "unknown", task, attempt }: LabelValues): SandboxLabels {
  return {
    swarm,
    purpose,
    ...(task === undefined ? {} : { task }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}
