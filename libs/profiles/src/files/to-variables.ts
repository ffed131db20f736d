/** Puts a job's variables into its recording, so that recordings of different jobs can be compared and merged. */
import { type FileUse, type Recording, type SocketUse } from '../model/recording.js';
import { isAtOrBelow } from './paths.js';
import { type Place, type Places, placesOf } from './places.js';

/**
 * `/in/night.edf` is `{inputs}` where that file was mounted, and `{inputs}/night.edf` where its directory was; the same for
 * what lies deeper. Of places in one another the innermost counts. Uses that are the same by then are counted together, in
 * the order of the first.
 * @throws FileRulesError BAD_PLACE
 */
export function toVariables(recording: Recording, places: Places): Recording {
  const all = placesOf(places);
  const { files, sockets } = recording;
  return {
    ...recording,
    ...(files && {
      files: counted(
        files.map((use) => ({ ...use, path: withVariable(use.path, all) })),
        fileKey,
      ),
    }),
    ...(sockets && {
      sockets: counted(
        sockets.map((use) => (use.family === 'AF_UNIX' ? { ...use, address: withVariable(use.address, all) } : use)),
        socketKey,
      ),
    }),
  };
}

function withVariable(path: string, places: readonly Place[]): string {
  const place = places.find((candidate) => isAtOrBelow(path, candidate.path));
  return place ? place.variable + path.slice(place.path.length) : path;
}

const fileKey = (use: FileUse) => [use.path, use.access, use.result, use.resolved].join('\0');
const socketKey = (use: SocketUse) => [use.operation, use.family, use.address, use.result].join('\0');

function counted<Use extends { readonly count: number }>(uses: readonly Use[], keyOf: (use: Use) => string): Use[] {
  const united = new Map<string, Use>();
  for (const use of uses) {
    const key = keyOf(use);
    const known = united.get(key);
    united.set(key, known ? { ...known, count: known.count + use.count } : use);
  }
  return [...united.values()];
}
