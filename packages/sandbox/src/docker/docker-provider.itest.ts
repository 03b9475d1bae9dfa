import { afterAll, expect, test } from "vitest";
import { findDocker, removeSuiteContent } from "../../testing/docker-image.ts";
import { describeProvider } from "../../testing/provider-suite.ts";
import { DEFAULT_SANDBOX_IMAGE } from "./docker-host.ts";
import { openDockerProvider } from "./docker-provider.ts";

if (findDocker(DEFAULT_SANDBOX_IMAGE)) {
  afterAll(removeSuiteContent);
  describeProvider("docker", () => openDockerProvider({ swarm: "suite" }), { isolated: true });

  test("where the image is missing it says how to build it", async () => {
    const opening = openDockerProvider({ swarm: "suite", image: "no-such-image" });
    await expect(opening).rejects.toThrow(/docker build -t no-such-image/);
  });
}

test("where no engine answers it says what to do", async () => {
  process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
  try {
    await expect(openDockerProvider({ swarm: "suite" })).rejects.toThrow(/start Docker/);
  } finally {
    delete process.env["DOCKER_HOST"];
  }
});
