export { CHANNEL, frameHeader, readFrames, type FramePiece } from "./framing.ts";
export { startRemoteProcess, type RemoteProcess } from "./remote-process.ts";
export { openTail, type Tail } from "./tail.ts";
export { waitForDrain } from "./wait-for-drain.ts";
