# One image for the five services, the sandbox broker and the recorded model. Builds with and without BuildKit.

ARG NODE_IMAGE=node:24-bookworm-slim

# The agent's one file, which every sandbox is given.
FROM ${NODE_IMAGE} AS agent
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages packages
COPY services services
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --workspace=packages/agent
COPY prompts prompts
RUN node -e 'import("@agentswarm/agent").then(({ buildAgent }) => buildAgent("/app/agent.mjs"))'

FROM ${NODE_IMAGE}
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends git openssh-client ca-certificates >/dev/null \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages packages
COPY services services
RUN npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --omit=dev --omit=optional \
    --workspace=services/planner --workspace=services/dispatcher --workspace=services/merger \
    --workspace=services/reconciler --workspace=services/api --workspace=services/broker --workspace=packages/cli --workspace=packages/replay \
 && npm cache clean --force >/dev/null 2>&1
COPY prompts prompts
COPY tools tools
COPY target-repo target-repo
COPY --from=agent /app/agent.mjs agent.mjs
# Volumes take over the owner of the folder they are first mounted on.
RUN cd /var/lib && mkdir -p swarm/store swarm/origin swarm/artifacts swarm/keys swarm/secrets /run/swarm-secrets \
 && cd swarm/secrets && mkdir redis operator broker planner dispatcher merger reconciler api \
 && chown -R node:node /var/lib/swarm /run/swarm-secrets && chmod -R go-rwx /var/lib/swarm/secrets/* \
 && chmod 755 /var/lib/swarm/secrets/redis /var/lib/swarm/secrets/broker
ENV NODE_ENV=production \
    SWARM_HOME=/var/lib/swarm \
    SWARM_STORE_URL=/var/lib/swarm/store/store.git \
    API_KEYS_FILE=/var/lib/swarm/keys/api-keys.json \
    API_HOST=0.0.0.0 \
    API_BEHIND=container \
    AGENT_FILE=/app/agent.mjs \
    HEALTH_FILE=/tmp/healthy
USER node
ENTRYPOINT ["sh", "/app/tools/compose/entrypoint.sh"]
