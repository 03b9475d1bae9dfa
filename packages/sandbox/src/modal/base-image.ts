/** The work folder inside; programs start in it, and mounts are below it. */
export const WORK = "/work";

/** Commands that add the programs for agents and checks to a Debian image with Node. */
export const BASE_COMMANDS: readonly string[] = [
  "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git ripgrep fd-find jq util-linux && rm -rf /var/lib/apt/lists/*",
  "RUN ln -s /usr/bin/fdfind /usr/local/bin/fd",
  `RUN mkdir -p ${WORK} && chmod 1777 ${WORK}`,
];
