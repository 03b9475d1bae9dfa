import { randomUUID } from "node:crypto";
import { DEFAULT_SANDBOX_LIMITS } from "@agentswarm/sandbox";
import { DEFAULT_SANDBOX_IMAGE, DEFAULT_WORK_BYTES } from "@agentswarm/sandbox/docker";
import { startBroker, type Broker, type BrokerOptions } from "../src/server/start-broker.ts";

export const TOKEN = "a token for tests only";

/** Starts a broker with a name and a port of its own. */
export function openBroker(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  return startBroker({
    listen: "127.0.0.1:0",
    token: TOKEN,
    name: randomUUID(),
    image: DEFAULT_SANDBOX_IMAGE,
    workBytes: DEFAULT_WORK_BYTES,
    ceiling: DEFAULT_SANDBOX_LIMITS,
    maxContainers: 20,
    maxContentBytes: 2 ** 30,
    ...options,
  });
}
