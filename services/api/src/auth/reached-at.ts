const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\]|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

export interface Listening {
  readonly API_HOST: string;
  readonly API_PUBLISHED_ON: string;
  readonly API_BEHIND?: "container" | undefined;
}

/**
 * The setting by which the api can be reached from other machines, or null when it cannot. In a container it listens on
 * all addresses, and the engine decides what is published; anywhere else the address that it listens on counts.
 */
export function reachedBeyondLoopback(settings: Listening): "API_HOST" | "API_PUBLISHED_ON" | null {
  if (!isLoopback(settings.API_PUBLISHED_ON)) return "API_PUBLISHED_ON";
  return settings.API_BEHIND === "container" || isLoopback(settings.API_HOST) ? null : "API_HOST";
}
