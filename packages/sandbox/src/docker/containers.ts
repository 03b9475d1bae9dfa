/** What a client of a broker needs; it does not load the engine's SDK. */
export type { Container, ContainerHost } from "./container-host.ts";
export { provideContainers } from "./provide-containers.ts";
