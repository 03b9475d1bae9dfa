/**
 * npm's built-in default registry. Package managers also take this host in a lockfile for the registry that is
 * configured, whichever that is (npm's `replace-registry-host`).
 */
export const PUBLIC_REGISTRY = new URL("https://registry.npmjs.org/");
