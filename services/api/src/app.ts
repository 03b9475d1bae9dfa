import Fastify, { LogController, type FastifyBaseLogger } from "fastify";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "@fastify/type-provider-zod";
import { guard, isOpen } from "./auth/guard.ts";
import { BOARD_PATH, mountBoard } from "./board.ts";
import type { App } from "./app-type.ts";
import type { ApiContext } from "./context.ts";
import { describeRoute } from "./openapi.ts";
import { answerProblems } from "./problem.ts";
import { answerDespiteSilentRedis } from "./redis-deadline.ts";
import { decisionRoutes } from "./routes/decisions.ts";
import { eventRoutes } from "./routes/events.ts";
import { featureRoutes } from "./routes/features.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { keyRoutes } from "./routes/keys.ts";
import { noteRoutes } from "./routes/notes.ts";
import { pageRoutes } from "./routes/page.ts";
import { probeRoutes } from "./routes/probes.ts";
import { pauseRoutes } from "./routes/pause.ts";
import { rebuildRoutes } from "./routes/rebuild.ts";
import { statusRoutes } from "./routes/status.ts";
import { diffRoutes } from "./routes/diffs.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { traceRequests } from "./trace-request.ts";

const BODY_LIMIT_BYTES = 1024 * 1024;
/** A request has to arrive completely within this time; answers may take longer, as streams of events do. */
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUESTS_PER_MINUTE = 6_000;

/** The application without a port: plugins, authorization and routes. */
export async function buildApp(ctx: ApiContext, log: FastifyBaseLogger, stopping: AbortSignal): Promise<App> {
  const app: App = Fastify({
    loggerInstance: log,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node takes the larger of the two timeouts for the whole request.
    http: { connectionsCheckingInterval: 1_000, headersTimeout: HEADERS_TIMEOUT_MS },
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerProblems(app);
  answerDespiteSilentRedis(app, ctx.connection);
  traceRequests(app);
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
  // After helmet, so that refusals carry its headers; before the rate limit, which counts per key.
  guard(app, ctx.keys, ctx.keyDemand);
  await app.register(rateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: "1 minute",
    keyGenerator: (request) => request.keyId ?? request.ip,
    // The board's page polls every few seconds, for every queue; a refused probe would restart the api.
    allowList: (request) => isOpen(request) || request.url.startsWith(BOARD_PATH),
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An API key, `ask_…`" },
          basic: { type: "http", scheme: "basic", description: "Any name, and an API key as the password" },
        },
      },
      info: { title: "AgentSwarm", version: "1", description: "Submit features and follow their progress." },
    },
    transform: describeRoute,
  });
  await app.register(swaggerUi, { routePrefix: "/docs" });
  featureRoutes(app, ctx);
  taskRoutes(app, ctx);
  diffRoutes(app, ctx);
  decisionRoutes(app, ctx);
  noteRoutes(app, ctx);
  statusRoutes(app, ctx);
  eventRoutes(app, ctx, stopping);
  jobRoutes(app, ctx);
  keyRoutes(app, ctx);
  probeRoutes(app, ctx);
  pauseRoutes(app, ctx);
  rebuildRoutes(app, ctx);
  pageRoutes(app);
  mountBoard(app, ctx);
  return app;
}
