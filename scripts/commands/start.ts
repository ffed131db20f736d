/** `npm start`: brings up the private services and the API in the background, and says where they are. */
import { prepareApi, startApi } from '../services/api.js';
import { isOurs } from '../services/daemon.js';
import { openInstance } from '../services/instance.js';
import { startServices } from '../services/stack.js';
import { readState, writeState } from '../services/state.js';
import { installSystemPackages } from '../setup/system-packages.js';

const log = (message: string) => console.log(`start: ${message}`);
const instance = openInstance('stack');
try {
  installSystemPackages(log);
  const services = await startServices(instance, log);
  const environment = await prepareApi(instance, services.postgres.url, services.redis.url);
  let { api } = readState(instance);
  if (!api?.process || !isOurs(api.process)) {
    log('API: starting');
    api = await startApi(instance, environment);
    writeState(instance, { ...readState(instance), api });
  }
  console.log(`The API is at ${api.url}. Make a key with: npm run porin -- key create --role admin`);
  console.log('There is no worker yet: jobs stay QUEUED (docs/status.md). Stop with: npm run stop');
} catch (error) {
  console.error(`start: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
