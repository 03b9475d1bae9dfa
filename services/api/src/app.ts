import Fastify from "fastify";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "@fastify/type-provider-zod";
import type { Logger } from "@agentswarm/service";
import { guard, isProbe } from "./auth/guard.ts";
import { BOARD_PATH, mountBoard } from "./board.ts";
import type { App, House } from "./house.ts";
import { answerProblems } from "./problem.ts";
import { budgetRoutes } from "./routes/budget.ts";
import { eventRoutes } from "./routes/events.ts";
import { featureRoutes } from "./routes/features.ts";
import { statusRoutes } from "./routes/status.ts";
import { taskRoutes } from "./routes/tasks.ts";

const BODY_LIMIT_BYTES = 1024 * 1024;
const REQUESTS_PER_MINUTE = 6_000;

/** The application without a port: plugins, who may come in, and the routes. */
export async function buildApp(house: House, log: Logger, stopping: AbortSignal): Promise<App> {
  const app: App = Fastify({
    loggerInstance: log,
    bodyLimit: BODY_LIMIT_BYTES,
    disableRequestLogging: true,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>() as unknown as App;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app as never);
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        // Bull Board and the API's documentation set styles inline, but no script.
        styleSrc: ["'self'", "'unsafe-inline'"],
        scriptSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        upgradeInsecureRequests: null,
      },
    },
  });
  // After helmet, so that refusals carry its headers; before the limit, which counts per key.
  guard(app as never, house.keys, house.keyDemand);
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: "1 minute",
    keyGenerator: (request) => request.actor ?? request.ip,
    // The board's page asks again every few seconds, for every queue; a probe that is refused gets the api restarted.
    allowList: (request) => isProbe(request) || request.url.startsWith(BOARD_PATH),
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "AgentSwarm", version: "1", description: "Submit features, see what becomes of them." },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(swaggerUi, { routePrefix: "/docs" });
  featureRoutes(app, house);
  budgetRoutes(app, house);
  taskRoutes(app, house);
  statusRoutes(app, house);
  eventRoutes(app, house, stopping);
  mountBoard(app, house);
  return app;
}
