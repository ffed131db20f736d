/** The story of a portal: its data in a bucket, its tasks by GA4GH TES, its programs under approved profiles. */
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildEdfImage } from '../../images/build-image.js';
import { buildWorkflowImage } from '../../images/workflow-image.js';
import { S3Server } from '../../services/s3-server.js';
import { meetChecks } from '../../setup/check.js';
import { systemPackages } from '../../setup/system-packages.js';
import { tesClients } from '../../setup/tes-clients.js';
import { CACHE_DIR, ROOT } from '../../setup/paths.js';
import { applicationSchema, secretSchema } from '../answers.js';
import { approveFirst, waitForPromotion } from '../decisions.js';
import { followToComplete } from '../jobs.js';
import { compareOutputs, type OutputDigests, outputDigests } from '../outputs.js';
import { type OpenStory, type Story } from '../open-story.js';
import { makeRecordings, type Recording } from '../recordings.js';
import { megabytes } from '../text.js';
import { type Round, runSnakemake, submitByPyTes } from './clients.js';
import { BUCKET, type PortalScene } from './portal-scene.js';
import { printTaskLogs } from './task-logs.js';

const WORKFLOW = join(ROOT, 'examples/portal/workflow');
/** Short for a demo; 5 runs on 3 inputs where nothing is said. */
const AUDIT = { quietRunsNeeded: 2, quietInputsNeeded: 2 };

export const PORTAL: Story = { instance: 'portal', canStay: false, open: openPortal };

/** The bucket's server ends with the story. */
async function openPortal(): Promise<OpenStory> {
  // The server is built with Go, and the clients are in an environment of Python's.
  meetChecks([systemPackages('demo portal')], (message) => console.log(`demo: ${message}`));
  const store = await S3Server.start();
  const prefixesWith = (directory: string) => `${pathToFileURL(directory).href}/,s3://${BUCKET}/`;
  return {
    variables: ({ inputs, outputs }) => ({
      // The workflow's files are read where they are written.
      PORIN_INPUT_URL_PREFIXES: `${pathToFileURL(inputs).href}/,${prefixesWith(outputs)}`,
      PORIN_OUTPUT_URL_PREFIXES: prefixesWith(outputs),
      PORIN_S3_ENDPOINTS: JSON.stringify([store.endpoint(`s3://${BUCKET}/`)]),
    }),
    tell: (scene) => tellPortalStory({ ...scene, store }),
    close: () => store.stop(),
  };
}

async function tellPortalStory(scene: PortalScene): Promise<void> {
  const { title, print } = scene;
  const options = { docker: scene.docker, cacheDir: CACHE_DIR, log: print };
  title('The clients, the images of the program and of the workflow, and recordings in a bucket of an S3 server');
  const environment = tesClients();
  const program = await buildEdfImage(options);
  const workflow = await buildWorkflowImage(options, environment);
  const recordings = await makeRecordings(scene, program.imageId);
  fillBucket(scene, recordings);

  title('An administrator registers the program, and keeps the keys of the bucket as a secret');
  const applicationId = await register(scene, 'edf-normalize', program.imageId, ['python3', '-m', 'edf_normalize']);
  await keepSecret(scene);

  title('The portal submits a task for each recording by py-tes; the recorder watches their system calls');
  const watched = await byPyTes(scene, environment, recordings, { word: 'watched' });

  title('Porin proposes a profile; the administrator reviews it, and approves it for an audit');
  const versionId = await approveFirst(scene, applicationId);

  title('The same tasks again, audited; after two quiet runs on two inputs the profile is enforced by itself');
  const audited = await byPyTes(scene, environment, recordings, { word: 'audited' });
  await waitForPromotion(scene, versionId);

  title('And again, restricted to that profile');
  const restricted = await byPyTes(scene, environment, recordings, { word: 'restricted' });
  const comparison = compareOutputs({
    watched: watched.digests,
    audited: audited.digests,
    restricted: restricted.digests,
  });
  for (const line of comparison.lines) print(line);
  scene.problems.push(...comparison.problems);
  findOutputs(scene, recordings);

  title('An administrator has them run once neither watched nor restricted, to compare with');
  await byPyTes(scene, environment, recordings, { word: 'plain', isPlain: true });

  title('A Snakemake workflow of the same program, every job of it a task: watched, audited, restricted');
  // By the name that its tasks give: so their image is known to be the application's.
  const workflowId = await register(scene, 'edf-workflow', workflow.reference, ['/bin/bash']);
  const tasks = await workflowRuns(scene, environment, { image: workflow.reference, applicationId: workflowId });

  title('What the tasks’ logs say of the restricted ones');
  await printTaskLogs(scene, [...restricted.ids, ...tasks]);
}

function fillBucket({ store, print }: PortalScene, recordings: readonly Recording[]): void {
  store.makeBucket(BUCKET);
  for (const { name, url } of recordings) {
    const bytes = readFileSync(fileURLToPath(url));
    store.write(BUCKET, `recordings/${name}.edf`, bytes);
    print(`s3://${BUCKET}/recordings/${name}.edf: ${megabytes(bytes.length)}`);
  }
}

async function register(
  { admin, print }: PortalScene,
  name: string,
  image: string,
  commandPrefix: readonly string[],
): Promise<string> {
  const body = { name, image, commandPrefix, policy: 'learn', ...AUDIT };
  const { id } = await admin.post('/api/v1/applications', body, applicationSchema);
  print(`${name}: policy learn, so jobs run watched until a profile is approved`);
  return id;
}

/** What the API tells of it afterwards is printed, for nothing of it is secret. */
async function keepSecret({ admin, store, print, problems }: PortalScene): Promise<void> {
  const { accessKeyId, secretAccessKey } = store;
  const value = { kind: 's3', prefix: `s3://${BUCKET}/`, accessKeyId, secretAccessKey };
  await admin.put(`/api/v1/secrets/${BUCKET}`, value, secretSchema);
  const told = await admin.getText('/api/v1/secrets');
  print(told);
  if (told.includes(secretAccessKey)) problems.push('the API tells the value of a secret');
}

async function byPyTes(
  scene: PortalScene,
  environment: string,
  recordings: readonly Recording[],
  round: Round,
): Promise<{ readonly ids: readonly string[]; readonly digests: OutputDigests }> {
  const names = recordings.map(({ name }) => name);
  const tasks = await submitByPyTes(scene, environment, names, round);
  const submitted = tasks.map(({ id, name }, index) => {
    return { id, request: { name, recording: recordings[index] as Recording } };
  });
  const ended = await followToComplete(scene, scene.admin, submitted);
  return { ids: tasks.map(({ id }) => id), digests: outputDigests(ended) };
}

/** They are objects of the bucket: the server itself is asked. */
function findOutputs({ store, print, problems }: PortalScene, recordings: readonly Recording[]): void {
  for (const { name } of recordings) {
    const key = `normalised/restricted/${name}.edf`;
    const bytes = store.read(BUCKET, key)?.length;
    if (bytes === undefined) problems.push(`s3://${BUCKET}/${key} is not in the bucket`);
    else print(`s3://${BUCKET}/${key}: ${megabytes(bytes)}`);
  }
}

/** The ids of the restricted tasks. */
async function workflowRuns(
  scene: PortalScene,
  environment: string,
  { image, applicationId }: { readonly image: string; readonly applicationId: string },
): Promise<string[]> {
  const directory = join(scene.outputs, 'workflow');
  rmSync(directory, { recursive: true, force: true });
  cpSync(WORKFLOW, directory, { recursive: true });
  mkdirSync(join(directory, 'recordings'));
  cpSync(scene.inputs, join(directory, 'recordings'), { recursive: true });
  const again = () => runSnakemake(scene, environment, { directory, image });
  await again();
  const versionId = await approveFirst(scene, applicationId);
  await again();
  await waitForPromotion(scene, versionId);
  return again();
}
