// For clients of a broker: loads no SDK of an engine.
export type { Container, ContainerHost } from "./container-host.ts";
export { provideContainers } from "./provide-containers.ts";
