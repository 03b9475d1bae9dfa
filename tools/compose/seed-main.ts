import { seedOrigin } from "../local/origin.ts";

// Makes the origin once, from the folder that compose mounts at /target.
const origin = await seedOrigin("/target", "/var/lib/swarm/origin");
process.stdout.write(`The swarm lands on ${origin}\n`);
