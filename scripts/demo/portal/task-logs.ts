/** What a portal reads in the logs of its tasks: resources, level, and what watching or restricting cost. */
import { type TaskAnswer, taskSchema } from '../answers.js';
import { megabytes, table } from '../text.js';
import { type PortalScene } from './portal-scene.js';

const HEADING = ['task', 'node', 'wall', 'CPU', 'memory', 'enforcement', 'profile', 'denials', 'overhead'];

export async function printTaskLogs(scene: PortalScene, ids: readonly string[]): Promise<void> {
  const { submitter, print, problems } = scene;
  const rows: string[][] = [];
  for (const id of ids) {
    const task = await submitter.get(`/ga4gh/tes/v1/tasks/${id}?view=FULL`, taskSchema);
    rows.push(rowOf(task));
    const { enforcement = 'nothing' } = task.logs[0]?.metadata ?? {};
    if (enforcement !== 'enforce')
      problems.push(`the task ${task.name ?? id} ran under ${enforcement}, not restricted`);
  }
  for (const line of table([HEADING, ...rows], [2, 3, 4, 7, 8])) print(line);
  print('overhead: wall time, over the median of unwatched runs on the same input and node; - where there are none.');
}

function rowOf({ name = '', logs }: TaskAnswer): string[] {
  const { metadata = {} } = logs[0] ?? {};
  const said = (of: string) => metadata[of] ?? '-';
  const { peak_memory_bytes: memory } = metadata;
  return [
    ...[name, said('node'), `${said('wall_time_ms')} ms`, `${said('cpu_time_ms')} ms`],
    ...[memory === undefined ? '-' : megabytes(Number(memory)), said('enforcement')],
    ...[said('profile_digest').slice(0, 19), said('denials'), said('overhead_ratio')],
  ];
}
