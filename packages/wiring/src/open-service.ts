import {
  createSender,
  openQueue,
  reportLag,
  type QueueConnection,
  type RedisSettings,
  type Sender,
} from "@agentswarm/queue";
import { measureLag, type ServiceContext } from "@agentswarm/service";

/** A service's place among the others: its connection to Redis, and its voice. */
export interface OpenedService {
  readonly connection: QueueConnection;
  readonly sender: Sender;
}

/** Connects a service to Redis until its stack is disposed, and reports its event-loop lag there. Throws what `openQueue` throws. */
export async function openService(
  { settings, log, stack }: Pick<ServiceContext<RedisSettings>, "settings" | "log" | "stack">,
  service: string,
): Promise<OpenedService> {
  const connection = stack.use(
    await openQueue({
      redisUrl: settings.REDIS_URL,
      prefix: settings.QUEUE_PREFIX,
      service,
      onError: (error) => log.warn({ err: error }, "Redis command failed; retrying"),
    }),
  );
  stack.use(reportLag(connection, stack.use(measureLag()).takeMaxMs));
  return { connection, sender: createSender(connection, service) };
}
