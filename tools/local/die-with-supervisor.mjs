// Preloaded into every supervised service: when the supervisor dies, its IPC channel ends, and the service goes
// down as if it had been asked to.
if (process.channel) {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
