/** Where programs start inside; the mounts are seen below it. */
export const WORK = "/work";

/** What is added to a Debian image with Node: the programs that agents and checks work with. */
export const BASE_COMMANDS: readonly string[] = [
  "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git ripgrep fd-find jq util-linux && rm -rf /var/lib/apt/lists/*",
  "RUN ln -s /usr/bin/fdfind /usr/local/bin/fd",
  `RUN mkdir -p ${WORK} && chmod 1777 ${WORK}`,
];
