import { registerHooks } from "node:module";
import type { createServer } from "nice-grpc";

type Definition = Parameters<ReturnType<typeof createServer>["add"]>[0] & {
  readonly methods: Record<string, unknown>;
};

const MARK = "?with-definitions";

/**
 * Loads the SDK's own definitions of the services that it calls. The SDK does not export them, so its single file is
 * loaded a second time with two more exports.
 */
export async function loadDefinitions(): Promise<{ control: Definition; router: Definition }> {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith(MARK)) return loaded;
      const source = Buffer.from(loaded.source as Uint8Array).toString();
      return {
        ...loaded,
        source: `${source}\nexport { ModalClientDefinition, TaskCommandRouterDefinition };`,
      };
    },
  });
  const sdk = (await import(import.meta.resolve("modal") + MARK)) as Record<string, Definition>;
  const { ModalClientDefinition: control, TaskCommandRouterDefinition: router } = sdk;
  if (control === undefined || router === undefined)
    throw new Error(
      "the SDK no longer has ModalClientDefinition and TaskCommandRouterDefinition in its main file",
    );
  return { control, router };
}
