import { parseImageReference } from '#lib/jobs';
import { describe, expect, it } from 'vitest';
import { registryCredentialFor, registryHeaders, withoutCredential } from './registry-credential.js';

const WIDE = { prefix: 'registry.example.org/', user: 'all', password: 'p1' };
const NARROW = { prefix: 'registry.example.org/team/', user: 'team', password: 'p2' };

function chosen(image: string) {
  const name = parseImageReference(image);
  return name.kind === 'name' ? registryCredentialFor([WIDE, NARROW], name) : undefined;
}

describe('the credential of a pull', () => {
  it('is that of the longest prefix, and of no other registry', () => {
    expect(chosen('registry.example.org/team/tool:1')).toBe(NARROW);
    expect(chosen('registry.example.org/other/tool:1')).toBe(WIDE);
    expect(chosen('registry.example.org:5000/team/tool:1')).toBeUndefined();
    expect(chosen('team/tool:1')).toBeUndefined();
  });

  it('is told to the engine in the form that it reads', () => {
    expect(registryHeaders(undefined)).toEqual({});
    const header = registryHeaders(NARROW)['X-Registry-Auth'] ?? '';
    expect(header).toMatch(/^[A-Za-z0-9_-]+={0,2}$/);
    expect(header.length % 4).toBe(0);
    const text = Buffer.from(header, 'base64url').toString();
    expect(JSON.parse(text)).toEqual({ username: 'team', password: 'p2', serveraddress: 'registry.example.org' });
  });

  it('is taken out of what a registry answers, however it is written there', () => {
    const credential = { ...WIDE, password: 'sword fish' };
    const basic = Buffer.from('all:sword fish').toString('base64');
    const echo = `no: Basic ${basic}, password=sword%20fish, "sword fish"`;
    expect(withoutCredential(echo, credential)).toBe('no: Basic ***, password=***, "***"');
    const quoted = { ...WIDE, password: 'a"b' };
    expect(withoutCredential('{"password":"a\\"b"}', quoted)).toBe('{"password":"***"}');
    expect(withoutCredential('as it is', { ...WIDE, password: '' })).toBe('as it is');
  });
});
