// Preloaded into every supervised service: when the supervisor dies, the IPC channel closes, and the service stops as
// after SIGTERM.
if (process.channel) {
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel.unref();
}
