import { describe, expect, it } from 'vitest';
import { bindContent, type ContentOwner } from './bind-content.js';

const owner = (applicationId: string, change: Partial<ContentOwner> = {}): ContentOwner => ({
  applicationId,
  name: applicationId,
  commandPrefix: [],
  match: 'content',
  hasApproved: false,
  ...change,
});

describe('bindContent', () => {
  it('finds the registered application whose content it is, when its command begins as registered', () => {
    const samtools = owner('samtools', { commandPrefix: ['samtools'] });
    expect(bindContent(['samtools', 'sort'], [samtools])).toEqual({
      kind: 'application',
      applicationId: 'samtools',
      hasApproved: false,
    });
    for (const command of [['sh', '-c', 'samtools sort'], ['/usr/bin/samtools'], []]) {
      expect(bindContent(command, [samtools])).toEqual({ kind: 'other-start', owner: samtools });
    }
  });

  it('takes no application for one whose image only is the ground of another', () => {
    const base = owner('base', { match: 'layers', hasApproved: true });
    expect(bindContent(['sort'], [base])).toEqual({ kind: 'other-start', owner: base });
  });

  it('prefers an approved profile, then the longest beginning', () => {
    const bound = (owners: readonly ContentOwner[]) => bindContent(['tool', 'sort'], owners);
    const short = owner('a');
    const long = owner('b', { commandPrefix: ['tool', 'sort'] });
    const approved = owner('c', { hasApproved: true });
    expect(bound([short, long])).toMatchObject({ applicationId: 'b' });
    expect(bound([short, long, approved])).toMatchObject({ applicationId: 'c' });
  });

  it('knows nothing of other content', () => {
    expect(bindContent(['sort'], [])).toEqual({ kind: 'unknown' });
  });
});
