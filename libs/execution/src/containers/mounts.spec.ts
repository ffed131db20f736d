import { describe, expect, it } from 'vitest';
import { mountsBelow } from './mounts.js';

const mountinfo = `22 1 0:21 / /proc rw - proc proc rw
40 22 0:40 / /srv/po\\040rin/.porin/test/docker/overlay2/a/merged rw - overlay overlay rw
41 40 0:41 / /srv/po\\040rin/.porin/test/docker/overlay2/a/merged/proc rw - proc proc rw
42 22 0:42 / /srv/po\\040rin/.porin/test-of-another rw - tmpfs tmpfs rw
`;

describe('the mounts below a directory', () => {
  it('come the innermost first, with spaces read', () => {
    expect(mountsBelow('/srv/po rin/.porin/test', mountinfo)).toEqual([
      '/srv/po rin/.porin/test/docker/overlay2/a/merged/proc',
      '/srv/po rin/.porin/test/docker/overlay2/a/merged',
    ]);
  });

  it('do not hold those of a directory whose name only begins alike', () => {
    expect(mountsBelow('/srv/po rin/.porin/test-of', mountinfo)).toEqual([]);
  });
});
