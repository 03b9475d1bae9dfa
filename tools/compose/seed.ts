import { seedOrigin } from "../local/origin.ts";

// Makes the repository that the swarm lands on, once, from what is mounted at /target.
const origin = await seedOrigin("/target", "/var/lib/swarm/origin");
process.stdout.write(`The swarm lands on ${origin}\n`);
