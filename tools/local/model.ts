/** Whether the environment names a model; without one the swarm plays recorded answers. */
export function namesModel(env: NodeJS.ProcessEnv): boolean {
  return ["LLM_BACKENDS", "LLM_BASE_URL", "RUNPOD_ENDPOINT_ID", "MODAL_GLM_URL"].some((name) => env[name]);
}
