import { afterAll, test } from "vitest";
import { findDocker, removeSuiteContent } from "../../../../test/support/docker-image.ts";
import { openBroker, TOKEN } from "../../testing/open-broker.ts";
import { describeProvider } from "../../../sandbox/testing/provider-suite.ts";
import { DEFAULT_SANDBOX_IMAGE } from "@agentswarm/sandbox/docker";
import { openBrokerProvider } from "./broker-provider.ts";

if (findDocker(DEFAULT_SANDBOX_IMAGE)) {
  const broker = await openBroker();
  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
    removeSuiteContent();
  });
  const options = { swarm: "suite", url: broker.url, token: TOKEN };
  describeProvider("docker, through a broker", () => openBrokerProvider(options), { isolated: true });
} else {
  test.skip("docker, through a broker: Docker does not answer here", () => undefined);
}
