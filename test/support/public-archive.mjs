/**
 * Started in a network namespace of its own whose loopback also has a public address: stages inputs from there under the
 * default address rules, directly and through redirects to private addresses. Prints the outcomes as JSON.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The compiled library: node itself does not read TypeScript. @type {unknown} */
const library = await import(new URL(process.argv[2] ?? '', import.meta.url).href);
const { stageInput } = /** @type {typeof import('#lib/staging')} */ (library);
const PUBLIC = '93.184.215.14';
const directory = mkdtempSync(join(tmpdir(), 'porin-staging-'));
let privateRequests = 0;
const archive = createServer((request, response) => {
  const target = new URL(request.url ?? '/', 'http://h').searchParams.get('to');
  if (target === null) response.end('public');
  else response.writeHead(302, { location: target }).end();
});
const inner = createServer((_request, response) => {
  privateRequests += 1;
  response.end('private');
});
await new Promise((resolve) => archive.listen(80, PUBLIC, () => resolve(undefined)));
await new Promise((resolve) => inner.listen(8080, '127.0.0.1', () => resolve(undefined)));

const rules = {
  inputPrefixes: [
    `http://${PUBLIC}/`,
    'http://127.0.0.1:8080/',
    'http://[::ffff:127.0.0.1]:8080/',
    'http://localhost:8080/',
  ],
  outputPrefixes: [],
  foreignPrefixes: [],
  allowPrivateAddresses: false,
  credentials: [],
  s3Endpoints: [],
  inputLimitBytes: 1000,
  jobInputsLimitBytes: 1000,
};

/** @param {string} url @param {string} name */
async function outcome(url, name) {
  const target = join(directory, name);
  try {
    await stageInput({ url, path: '/in/a' }, target, rules, new globalThis.AbortController().signal);
    return readFileSync(target, 'utf8');
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : String(error);
  }
}

const outcomes = [await outcome(`http://${PUBLIC}/`, 'direct')];
for (const to of [`http://${PUBLIC}/`, ...rules.inputPrefixes.slice(1)]) {
  outcomes.push(await outcome(`http://${PUBLIC}/?to=${encodeURIComponent(to)}`, `redirected-${outcomes.length}`));
}
console.log(JSON.stringify({ outcomes, privateRequests }));
rmSync(directory, { recursive: true });
archive.close();
inner.close();
