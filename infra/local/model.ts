/** Whether the environment names a model; without one the swarm plays recorded answers. */
export function namesModel(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env["LLM_BASE_URL"] || env["RUNPOD_ENDPOINT_ID"]);
}
