/** What porin-init is told to run: the request, with what the image says where the request is silent. */
import { type ExecutorRunRequest, TRACE_MAXIMUM_BYTES } from '../executor-run.js';
import { textMaximum } from '../monitoring/notify-trace.js';
import { type SandboxPolicy } from '../sandbox/policy-text.js';
import { type ImageConfiguration } from '../images/image-configuration.js';
import { payloadCommand } from './payload-command.js';
import { payloadRlimits } from './rlimits.js';

/** As engines set it where the image does not. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** The only directory that every payload may write to. */
const DEFAULT_HOME = '/tmp';
/** Its uid is in no image's /etc/passwd: libraries that look for a name find one here. */
const DEFAULT_USER = 'porin';

export function payloadPolicy(request: ExecutorRunRequest, image: ImageConfiguration): SandboxPolicy {
  const { command, workingDirectory } = payloadCommand(image, request);
  return {
    arguments: command,
    environment: {
      PATH: DEFAULT_PATH,
      HOME: DEFAULT_HOME,
      USER: DEFAULT_USER,
      LOGNAME: DEFAULT_USER,
      ...Object.fromEntries(image.environment.map(toPair).filter(([name]) => name !== '')),
      ...request.environment,
    },
    workingDirectory,
    ...(request.standardInput !== undefined && { standardInput: request.standardInput }),
    rlimits: payloadRlimits(request.limits),
    filter: request.filter,
    ...(request.landlock && { landlock: request.landlock }),
    ...(request.level.monitoring === 'trace-notify' && {
      trace: { maximumBytes: textMaximum(request.limits.traceBytes ?? TRACE_MAXIMUM_BYTES) },
    }),
  };
}

function toPair(variable: string): [name: string, value: string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}
