/** `npm run demo [-- <story>] [--keep]`: starts the stack, tells a story on it over the public API, stops what it started. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { z } from 'zod';
import { ApiClient } from '../demo/api-client.js';
import { type OpenStory, type Story } from '../demo/open-story.js';
import { PORTAL } from '../demo/portal/portal-story.js';
import { type Scene } from '../demo/scene.js';
import { SANDBOX } from '../demo/story.js';
import { askCli, cliVariables } from '../services/cli.js';
import { type InstanceName, openInstance } from '../services/instance.js';
import { dataDirectories } from '../services/programs.js';
import { type Stack, startStack } from '../services/stack.js';
import { runningServices, stopStack } from '../services/stop-stack.js';
import { SERVICE_NAMES, type ServiceName } from '../services/state.js';
import { acquireLock } from '../setup/lock.js';
import { PORIN_DIR } from '../setup/paths.js';

/** The first one is told where none is named. */
const STORIES = { sandbox: SANDBOX, portal: PORTAL } as const satisfies Record<string, Story>;
const USAGE = `usage: npm run demo [-- [sandbox | portal] [--keep]]
  sandbox  learn, approve, audit, enforce, heal, attack, measure; this is told where no story is named
  portal   tasks by GA4GH TES (py-tes, Snakemake) on data in an S3 bucket, with a secret, under approved profiles
  --keep   leave the stack of the sandbox up at the end, and say where the API is`;
const CANCEL_TIMEOUT_MS = 10_000;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!interrupted.signal.aborted) console.log(`\n${signal}: cleaning up`);
    interrupted.abort(new Error(`it was interrupted by ${signal}`));
  });
}

/** A tenant of its own, so that every demo tells the story from its beginning. */
function makeScene(stack: Stack, tenant: string): Scene {
  const apiUrl = stack.apiUrl ?? '';
  const key = (role: string) => {
    const options = ['--role', role, '--tenant', tenant, '--name', `demo ${role}`, '--days', '1'];
    return askCli(['key', 'create', ...options], cliVariables(stack.instance) ?? {});
  };
  const keys = { admin: key('admin'), submitter: key('submitter') };
  let titles = 0;
  return {
    ...{ apiUrl, keys },
    admin: new ApiClient(apiUrl, keys.admin, interrupted.signal),
    submitter: new ApiClient(apiUrl, keys.submitter, interrupted.signal),
    docker: new Docker({ socketPath: stack.dockerHost.replace(/^unix:\/\//, '') }),
    inputs: join(stack.dataDirectories.inputs, 'demo'),
    outputs: join(stack.dataDirectories.outputs, 'demo'),
    signal: interrupted.signal,
    title: (text) => console.log(`\n${++titles}. ${text}`),
    print: (line = '') => console.log(line === '' ? '' : `   ${line}`),
    submitted: [],
    problems: [],
  };
}

/** Returns what was not as told. */
async function tell(story: OpenStory, stack: Stack, tenant: string): Promise<readonly string[]> {
  const scene = makeScene(stack, tenant);
  for (const directory of [scene.inputs, scene.outputs]) rmSync(directory, { recursive: true, force: true });
  try {
    await story.tell(scene);
    return scene.problems;
  } catch (error) {
    await cancelUnfinished(scene);
    return [...scene.problems, messageOf(error)];
  }
}

/** Otherwise the next start would run what this demo left waiting. */
async function cancelUnfinished({ admin, submitted }: Scene): Promise<void> {
  const client = admin.withSignal(AbortSignal.timeout(CANCEL_TIMEOUT_MS));
  await Promise.allSettled(submitted.map((id) => client.post(`/api/v1/jobs/${id}/cancel`, {}, z.unknown())));
}

function messageOf(error: unknown): string {
  // Every wait that an interruption ends has an error of its own.
  const cause: unknown = interrupted.signal.aborted ? interrupted.signal.reason : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Jobs may only read and write where the programs let them; a narrower environment would fail every job. */
function refuseForeignPrefixes(): void {
  for (const name of ['PORIN_INPUT_URL_PREFIXES', 'PORIN_OUTPUT_URL_PREFIXES']) {
    if (process.env[name]) throw new Error(`${name} is set; unset it for the demo, which uses directories of its own`);
  }
}

function closing(stack: Stack, tenant: string): string {
  return `
The stack is still up.
  API            ${stack.apiUrl}   (its description: ${stack.apiUrl}/docs)
  a key          npm run porin-admin -- key create --role admin --tenant ${tenant}
  outputs        ${join(stack.dataDirectories.outputs, 'demo')}
  stop it        npm run stop`;
}

/** All that is ours where nothing ran before, because what a crash left behind goes then too. */
function startedSince(instance: InstanceName, before: readonly ServiceName[]): readonly ServiceName[] {
  return before.length === 0 ? SERVICE_NAMES : runningServices(instance).filter((name) => !before.includes(name));
}

async function demo({ instance, open }: Story, keep: boolean): Promise<boolean> {
  refuseForeignPrefixes();
  const startedAt = Date.now();
  const tenant = `demo-${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}`;
  const before = runningServices(instance);
  const log = (message: string) => console.log(`demo: ${message}`);
  let problems: readonly string[];
  let farewell = '';
  let story: OpenStory | undefined;
  try {
    story = await open();
    const variables = story.variables(dataDirectories(openInstance(instance)));
    const stack = await startStack({ instance, withPrograms: true, variables, log, signal: interrupted.signal });
    problems = await tell(story, stack, tenant);
    farewell = closing(stack, tenant);
  } catch (error) {
    problems = [messageOf(error)];
  }
  if (!keep) await stopStack(instance, log, startedSince(instance, before));
  await story?.close();
  const took = `${Math.round((Date.now() - startedAt) / 1000)} s`;
  if (problems.length === 0) console.log(`\nEverything was as told (${took}).`);
  else console.log(`\nNot as told (${took}):\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  if (farewell !== '' && (keep || before.length > 0)) console.log(farewell);
  return problems.length === 0;
}

const { values, positionals } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  allowPositionals: true,
});
const [name = 'sandbox', ...others] = positionals;
const story = Object.entries(STORIES).find(([each]) => each === name)?.[1];
if (values.help) {
  console.log(USAGE);
} else if (!story || others.length > 0) {
  console.error(`There is no such story.\n${USAGE}`);
  process.exitCode = 2;
} else if (values.keep && !story.canStay) {
  console.error(`The story ${name} has a server that ends with it: nothing of it can stay.\n${USAGE}`);
  process.exitCode = 2;
} else {
  const release = await acquireLock(join(PORIN_DIR, 'demo.lock'), () => console.log('demo: waiting for another demo'));
  try {
    process.exitCode = (await demo(story, values.keep)) ? 0 : 1;
  } finally {
    await release();
  }
}
