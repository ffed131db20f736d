import { describe, expect, it } from 'vitest';
import { type Credential } from '../credentials.js';
import { HttpCredential } from './http-credential.js';

const BEARER: Credential = { kind: 'bearer', prefix: 'https://host/data/', token: 't' };
const BASIC: Credential = { kind: 'basic', prefix: 'https://host/data/deep/', user: 'anna', password: 'ä:b' };
const HEADERS: Credential = { kind: 'headers', prefix: 'http://host:8080/', headers: { 'X-Key': 'k' } };
const S3: Credential = { kind: 's3', prefix: 'https://host/', accessKeyId: 'a', secretAccessKey: 's' };
const ALL = [S3, BEARER, BASIC, HEADERS];

const shown = (text: string, next = text) =>
  HttpCredential.of(new URL(text), ALL).after(new URL(next)).headersFor(new URL(next));

describe('the credential of a request over HTTP', () => {
  it.each([
    ['https://host/data/a', { authorization: 'Bearer t' }],
    ['https://host/data/deep/a', { authorization: `Basic ${Buffer.from('anna:ä:b').toString('base64')}` }],
    ['http://host:8080/a?b=c', { 'x-key': 'k' }],
    ['https://u:p@host/data/a', { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` }],
    ['https://host/database/a', {}],
    ['https://host/a', {}],
    ['http://host/data/a', {}],
    ['https://host:8443/data/a', {}],
    ['https://host.evil.example/data/a', {}],
    // Some servers take it for /other.
    ['https://host/data/..%2fother', {}],
  ])('for %s', (url, headers) => {
    expect(shown(url)).toEqual(headers);
  });

  it.each([
    ['https://host/other'],
    ['https://elsewhere/data/a'],
    ['http://host/data/a'],
    // Another secret is not for what a server leads to.
    ['http://host:8080/a'],
  ])('is not sent on to %s', (next) => {
    expect(shown('https://host/data/a', next)).toEqual({});
  });

  it('that is for an origin is not sent on to another', () => {
    const credential = HttpCredential.forOrigin(new URL('https://host/a'), { 'x-key': 'k' });
    expect(credential.headersFor(new URL('https://host/b'))).toEqual({ 'x-key': 'k' });
    expect(credential.headersFor(new URL('https://host:444/a'))).toEqual({});
    expect(credential.after(new URL('http://host/a')).headersFor(new URL('https://host/a'))).toEqual({});
  });

  it('is sent on below its prefix, and not once the transfer has left it', () => {
    const first = new URL('https://host/data/a');
    const second = new URL('https://host/data/b');
    const credential = HttpCredential.of(first, ALL);
    expect(credential.after(second).headersFor(second)).toEqual({ authorization: 'Bearer t' });
    expect(credential.after(new URL('https://host/x')).after(second).headersFor(second)).toEqual({});
  });
});
