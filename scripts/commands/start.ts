/** `npm start`: brings up the private services, the API, the dispatcher and a worker in the background, and says where they are. */
import { learnUnknownContent } from '../services/database.js';
import { imageVariables } from '../services/programs.js';
import { startStack } from '../services/stack.js';

try {
  const {
    apiUrl = '',
    dataDirectories,
    dockerHost,
    database,
  } = await startStack({
    instance: 'stack',
    withPrograms: true,
    log: (message) => console.log(`start: ${message}`),
  });
  if (database && (await learnUnknownContent(database.ownerUrl))) {
    console.log(
      'start: jobs on any image are learned from; `npm run porin-admin -- tenant set --unknown-content hold` ends that',
    );
  }
  console.log(`
Porin is up.
  API            ${apiUrl}   (its description: ${apiUrl}/docs)
  first key      npm run porin-admin -- key create --role admin
  inputs         file URLs below ${dataDirectories.inputs}
  outputs        file URLs below ${dataDirectories.outputs}
  images         ${imagesInWords()}
  an image in    docker --host ${dockerHost} load --input image.tar   (or: build --tag lab/tool:1 .)
  what runs      npm run status
  stop it        npm run stop`);
} catch (error) {
  console.error(`start: ${error instanceof Error ? error.message : String(error)}`);
  console.error('start: what was started before this is still up; `npm run stop` ends it');
  process.exitCode = 1;
}

function imagesInWords(): string {
  const { PORIN_LOCAL_IMAGES: local, PORIN_IMAGE_REGISTRIES: registries } = imageVariables();
  const here = local === '*' ? 'all that its engine has' : `of those that its engine has: ${local || 'none'}`;
  return `${here} (PORIN_LOCAL_IMAGES); from registries: ${registries || 'none'} (PORIN_IMAGE_REGISTRIES)`;
}
