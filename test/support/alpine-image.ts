/** The image that clients of TES know as `alpine`, made of Debian's busybox: no test needs a registry. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { SEARCH_PATH } from '../../scripts/images/build-image.js';
import { makeBusyboxRoot } from '../../scripts/images/busybox-root.js';
import { findImage, importRoot } from '../../scripts/images/engine.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';

const REFERENCE = 'alpine:latest';
const CONFIGURATION = [`ENV ${SEARCH_PATH}`, 'CMD ["/bin/sh"]'];

/** It has busybox's programs, and no bash. */
export async function importAlpineImage(docker: Docker): Promise<void> {
  const tar = join(CACHE_DIR, 'alpine-image.tar');
  makeBusyboxRoot(tar);
  const inputs = createHash('sha256').update(readFileSync(tar)).update(CONFIGURATION.join('\n')).digest('hex');
  if (await findImage(docker, REFERENCE, inputs)) return;
  await importRoot(docker, { tar, reference: REFERENCE, inputs, changes: CONFIGURATION });
}
