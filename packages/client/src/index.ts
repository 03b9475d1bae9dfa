export { ApiError, isTransient, Unreachable } from "./api-error.ts";
export { type FollowOptions, type StreamedEvent } from "./follow-events.ts";
export { openClient, type SwarmClient } from "./open-client.ts";
export { type AskOptions, type ClientOptions } from "./send-request.ts";
