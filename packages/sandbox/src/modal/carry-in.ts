import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { Fault } from "@agentswarm/contracts";
import type { Mount } from "../sandbox.ts";
import { mustRun, type Box } from "./box.ts";
import { PUT_FILE, PUT_FOLDER } from "./scripts.ts";

/** Copies files and folders of this machine into a sandbox's work folder, where the guest may read but not change them. */
export async function carryIn(box: Box, mounts: readonly Mount[]): Promise<void> {
  await Promise.all(mounts.map((mount) => carryOne(box, mount)));
}

async function carryOne(box: Box, { from, at }: Mount): Promise<void> {
  const isFolder = (await stat(from)).isDirectory();
  if (!isFolder) {
    await mustRun(box, `put ${at}`, ["sh", "-c", PUT_FILE, "sh", at], () => createReadStream(from));
    return;
  }
  let packed: Promise<void> = Promise.resolve();
  await mustRun(box, `put ${at}`, ["sh", "-c", PUT_FOLDER, "sh", at], () => {
    const packing = packFolder(from);
    packed = packing.done;
    packed.catch(() => undefined);
    return packing.stream;
  });
  await packed;
}

/** Packs a folder; `done` rejects when it could not be packed whole. */
function packFolder(from: string): { readonly stream: Readable; readonly done: Promise<void> } {
  const tar = spawn("tar", ["-C", from, "-czf", "-", "."], { stdio: ["ignore", "pipe", "pipe"] });
  const { stdout, stderr } = tar;
  let said = "";
  stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const done = (async () => {
    const [code] = (await once(tar, "close")) as [number | null];
    if (code !== 0) throw new Fault("internal", `could not pack ${from}: ${said.slice(-2_000)}`);
  })();
  // Its reader may stop before the end, and then it is to stop too.
  stdout.once("close", () => {
    if (!stdout.readableEnded) tar.kill("SIGKILL");
  });
  return { stream: stdout, done };
}
