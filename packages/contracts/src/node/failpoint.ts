/**
 * A named point at which a test may kill the process: `FAILPOINT=merger.published` ends it there with SIGKILL,
 * as a power cut would. Several names are separated by commas. Without the variable it costs one comparison.
 */
export function failpoint(name: string): void {
  const wanted = process.env["FAILPOINT"];
  if (wanted === undefined || wanted === "") return;
  if (wanted.split(",").includes(name)) process.kill(process.pid, "SIGKILL");
}
