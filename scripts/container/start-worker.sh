#!/bin/sh
# The worker's container: puts the native programs where the host's engine can mount them, then becomes the worker.
set -eu
mkdir -p -m 700 "$PORIN_WORK_DIR" "$PORIN_RUN_DIR"
mkdir -p -m 755 "$PORIN_NATIVE_DIR"
for program in porin-init porin-recorder; do
  # Moved into place, so that a container that has the old file mounted keeps a whole one.
  install -m 755 "/opt/porin/native/$program" "$PORIN_NATIVE_DIR/$program.new"
  mv -f "$PORIN_NATIVE_DIR/$program.new" "$PORIN_NATIVE_DIR/$program"
done
exec node --enable-source-maps .porin/dist/apps/worker/src/main.js
