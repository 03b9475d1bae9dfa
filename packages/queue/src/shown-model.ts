import { shownModelSchema, type ShownModel } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { openDocuments } from "./documents.ts";

const KEY = "main";

/** The model that the planner was started with, for those who show it and have no settings of a model. */
export function openShownModel(connection: QueueConnection): {
  tell(model: ShownModel): Promise<void>;
  read(): Promise<ShownModel | null>;
} {
  const documents = openDocuments(connection, "model", shownModelSchema);
  return {
    tell: async (model) => void (await documents.update(KEY, () => model)),
    read: async () => (await documents.get(KEY))?.value ?? null,
  };
}
