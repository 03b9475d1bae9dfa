# What agents and checks see of the world with SANDBOX_PROVIDER=docker:
#   docker build -t agentswarm-sandbox -f infra/sandbox.Dockerfile infra
# The folder that is sent along is not looked at: nothing of this repository gets into the image.
FROM node:24-bookworm-slim

# The work folder becomes a tmpfs with this folder's mode: the guest's to make things in, not to remove what is root's.
# Only what the agent's tools and the target's checks call. There is no network at run time to fetch more with.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends git ripgrep fd-find jq >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/fdfind /usr/local/bin/fd \
 && mkdir -m 1777 /work && mkdir /opt/swarm

# The public image has this user as 1000:1000; whoever bases it on another must make one.
USER 1000:1000
WORKDIR /work
ENTRYPOINT []
CMD ["sleep", "infinity"]
