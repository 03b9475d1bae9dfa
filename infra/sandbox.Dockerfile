# The image of sandboxes with SANDBOX_PROVIDER=docker:
#   docker build -t agentswarm-sandbox -f infra/sandbox.Dockerfile infra
# Nothing of the build context is copied into the image.
ARG NODE_IMAGE=node:24-bookworm-slim
FROM ${NODE_IMAGE}

# Only programs that the agent's tools and the target's checks call; a sandbox has no network to install more.
# /work becomes a tmpfs with this mode: the guest can create files there, but cannot remove those of root.
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends git ripgrep fd-find jq >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s /usr/bin/fdfind /usr/local/bin/fd \
 && mkdir -m 1777 /work && mkdir /opt/swarm

# The user `node` of the base image. A base image without user 1000:1000 needs one.
USER 1000:1000
WORKDIR /work
ENTRYPOINT []
CMD ["sleep", "infinity"]
