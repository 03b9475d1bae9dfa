export { CHANNEL, frameHeader, readFrames, type Piece } from "./framing.ts";
export { startRemote, type RemoteProcess } from "./remote-process.ts";
export { waitForRoom } from "./wait-for-room.ts";
