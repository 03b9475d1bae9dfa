import { ServerError, Status } from "nice-grpc";
import type { World } from "./world.ts";

interface Exec {
  readonly taskId: string;
  readonly execId: string;
}

const STDERR = 1;

/** The methods of the machine that a sandbox runs on. */
export function router(world: World) {
  const find = ({ taskId, execId }: Exec) => {
    const sandbox = world.sandboxes.get(taskId.replace("ta-", "sb-"));
    const process = sandbox?.processes.get(execId);
    if (process === undefined) throw new ServerError(Status.NOT_FOUND, `no ${execId} in ${taskId}`);
    return process;
  };
  return {
    async taskExecStart({ taskId, execId, commandArgs }: Exec & { commandArgs: string[] }) {
      world.find(taskId).start(execId, commandArgs);
      return {};
    },
    async *taskExecStdioRead(
      request: Exec & { offset: number; fileDescriptor: number },
      { signal }: { signal: AbortSignal },
    ) {
      const process = find(request);
      const read = request.fileDescriptor === STDERR ? process.readStderr : process.readStdout;
      yield* read(Number(request.offset), signal);
    },
    async taskExecStdinWrite(request: Exec & { data: Uint8Array; eof: boolean }) {
      await find(request).write(request.data, request.eof);
      return {};
    },
    taskExecWait: async (request: Exec) => find(request).ended,
    async taskSnapshotFilesystem({ taskId }: { taskId: string }) {
      return { imageId: await world.snapshot(taskId) };
    },
  };
}
