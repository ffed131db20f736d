/** A fork-heavy program of the bench: a shell script of small commands. */
import { type BenchProgram } from '../runs/bench-runs.js';

const ROUNDS = 150;
/** Five forks and five commands a round; nothing in it is built into the shell but the arithmetic and the loop. */
const SCRIPT = `
set -e
round=0
while [ $round -lt ${ROUNDS} ]; do
  name=$(basename /input/night-$round.edf .edf)
  /bin/echo "$name" | sed 's/night/day/' > /tmp/line
  cat /tmp/line > /dev/null
  expr $round \\* 2 > /dev/null || [ $round = 0 ]
  round=$((round + 1))
done
`;

/** `imageId` has a shell and GNU's or busybox's small programs. */
export function shellProgram(imageId: string): BenchProgram {
  return { name: 'shell', imageId, command: ['/bin/sh', '-c', SCRIPT], environment: {}, inputs: [] };
}
