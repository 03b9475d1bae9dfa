import { runService } from "@agentswarm/service";
import { settings } from "./config.ts";
import { start } from "./start.ts";

await runService("broker", settings, start);
