import { type FileUse, type Recording } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { recordingOf } from '../../../../../test/support/worker-rows.js';
import { keptFilesText } from './kept-files-text.js';

const read = (path: string): FileUse => ({ path, access: 'read', result: 'ok', resolved: true, count: 1 });
const withFiles = (...paths: string[]): Recording => ({ ...recordingOf(['openat']), files: paths.map(read) });

describe('the list of files that a stripped image would keep', () => {
  it('has one path a line, however the path is named', () => {
    expect(keptFilesText([withFiles('/usr/bin/b', '/usr/line\nfeed'), withFiles('/back\\slash', '/usr/\u3164')])).toBe(
      '/back\\\\slash\n/usr/bin/b\n/usr/line\\u{a}feed\n/usr/\\u{3164}\n',
    );
  });

  it('is not there where no recording has files', () => {
    expect(keptFilesText([recordingOf(['openat'])])).toBeNull();
  });
});
