import { createServer, ServerError, Status, type ServerMiddleware } from "nice-grpc";
import { controlPlane } from "./control-plane.ts";
import { loadDefinitions } from "./definitions.ts";
import { router } from "./router.ts";
import { openWorld } from "./world.ts";

/** A request of a test, over the IPC channel of the process that started the fake. */
export type FakeRequest =
  | { readonly kind: "refuse"; readonly method: string; readonly times: number; readonly status: number }
  | { readonly kind: "lose-images"; readonly base: boolean }
  | { readonly kind: "report" };

const SECRET = "as-fake";
const world = await openWorld(process.env["FAKE_MODAL_ROOTLESS"] === "true");
const calls: Record<string, number> = {};
const refusals = new Map<string, { times: number; status: number }>();

const guard: ServerMiddleware = async function* guard(call, context) {
  const method = call.method.path.split("/").at(-1) ?? "";
  calls[method] = (calls[method] ?? 0) + 1;
  if (call.method.path.includes("ModalClient") && context.metadata.get("x-modal-token-secret") !== SECRET)
    throw new ServerError(Status.UNAUTHENTICATED, "Token not found");
  const refusal = refusals.get(method);
  if (refusal !== undefined && refusal.times > 0) {
    refusal.times -= 1;
    throw new ServerError(refusal.status, "rate limit exceeded");
  }
  return yield* call.next(call.request, context);
};

/** Adds the methods that are not faked; they fail with UNIMPLEMENTED. */
function complete(methods: Record<string, unknown>, faked: Record<string, unknown>): never {
  const missing = (name: string) => async () => {
    throw new ServerError(Status.UNIMPLEMENTED, `${name} is not faked`);
  };
  return Object.fromEntries(
    Object.keys(methods).map((name) => [name, faked[name] ?? missing(name)]),
  ) as never;
}

const definitions = await loadDefinitions();
const server = createServer({ "grpc.max_receive_message_length": 100 * 1024 ** 2 }).use(guard);
let port = 0;
const control = controlPlane(world, () => `https://127.0.0.1:${port}`);
server.add(definitions.control, complete(definitions.control.methods, control));
server.add(definitions.router, complete(definitions.router.methods, router(world)));
port = await server.listen("127.0.0.1:0");

process.on("message", (request: FakeRequest) => {
  if (request.kind === "refuse")
    refusals.set(request.method, { times: request.times, status: request.status });
  if (request.kind === "lose-images")
    for (const [id, folder] of world.images) if (request.base || folder !== null) world.images.delete(id);
  process.send?.({ calls, opened: world.opened });
});
process.once("disconnect", () => void world.close().then(() => process.exit(0)));
process.send?.({ port });
