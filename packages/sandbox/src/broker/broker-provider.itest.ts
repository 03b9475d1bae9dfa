import { afterAll } from "vitest";
import { findDocker } from "../../testing/docker-image.ts";
import { openBroker, TOKEN } from "../../testing/open-broker.ts";
import { describeProvider } from "../../testing/provider-suite.ts";
import { DEFAULT_SANDBOX_IMAGE } from "../docker/docker-host.ts";
import { openBrokerProvider } from "./broker-provider.ts";

if (findDocker(DEFAULT_SANDBOX_IMAGE)) {
  const broker = await openBroker();
  afterAll(() => broker[Symbol.asyncDispose]());
  const options = { swarm: "suite", url: broker.url, token: TOKEN };
  describeProvider("docker, through a broker", () => openBrokerProvider(options), { isolated: true });
}
