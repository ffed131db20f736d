# The API and the dispatcher (`--target api`) and the worker (`--target worker`). The tests check its shape; no registry is in reach of them to build it.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS native
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev make clang llvm bpftool libbpf-dev \
 && rm -rf /var/lib/apt/lists/*
COPY native /src/native
# The recorder takes the kernel's types from the machine that builds. It is relocated at load (CO-RE), so that machine's
# kernel need not be the nodes' own; where it shows no types, give a BTF file as the build context's native/vmlinux.
RUN make -C /src/native OUT=/out VMLINUX="$(ls /src/native/vmlinux 2>/dev/null || echo /sys/kernel/btf/vmlinux)" \
 && strip /out/porin-init /out/porin-recorder

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# As in scripts/bootstrap.mjs: no install script is needed or trusted.
RUN npm install --no-save --include=dev --ignore-scripts --no-audit --no-fund
COPY .swcrc ./
COPY apps apps
COPY libs libs
COPY migrations migrations
RUN node_modules/.bin/swc apps libs migrations --out-dir .porin/dist --quiet --ignore '**/*spec.ts'
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE} AS api
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/.porin/dist .porin/dist
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORIN_PORT || 8080) + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", ".porin/dist/apps/api/src/main.js"]

FROM ${NODE_IMAGE} AS worker
RUN apt-get update \
 && apt-get install -y --no-install-recommends e2fsprogs mount libbpf1 libelf1 strace \
 && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/.porin/dist .porin/dist
COPY --from=native /out/porin-init /out/porin-recorder /opt/porin/native/
COPY scripts/container/start-worker.sh /usr/local/bin/start-worker
# Root, with the few capabilities that docker-compose.yml leaves it: it mounts scratch and loads BPF. No port is open.
CMD ["start-worker"]
