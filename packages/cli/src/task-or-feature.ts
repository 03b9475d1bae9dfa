import { ApiError } from "@agentswarm/client";

/** Asks for the task of an id, or for the feature where there is no such task: both ids have the same form. */
export async function taskOrFeature<T>(
  id: string,
  asTask: () => Promise<T>,
  asFeature: () => Promise<T>,
): Promise<T> {
  return asTask().catch((error: unknown) => {
    if (!isUnknown(error)) throw error;
    return asFeature().catch((other: unknown) => {
      throw isUnknown(other) ? new Error(`there is no task or feature ${id}`) : other;
    });
  });
}

function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
