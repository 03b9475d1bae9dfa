import { parseEnv } from "@agentswarm/service";
import { seedOrigin } from "../local/origin.ts";
import { seedSettings } from "./config.ts";
import { seedSecrets } from "./seed-secrets.ts";

// Makes, once, the origin from the folder that compose mounts at /target, and the passwords of the services.
const { TARGET_REPO_PATH, QUEUE_PREFIX, BROKER_TOKEN } = parseEnv(seedSettings, process.env);
// The folder of the host is not to be seen from here, but its name is.
const isSample = () => TARGET_REPO_PATH === seedSettings.shape.TARGET_REPO_PATH.parse(undefined);
const origin = await seedOrigin("/target", "/var/lib/swarm/origin", isSample);
await seedSecrets("/var/lib/swarm/secrets", {
  prefix: QUEUE_PREFIX,
  address: "redis:6379",
  brokerToken: BROKER_TOKEN,
});
process.stdout.write(`The swarm lands on ${origin}\n`);
