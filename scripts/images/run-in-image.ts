/** Runs one command in an image to its end, without Porin: what makes the inputs of the demo and of the benches. */
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';

export interface ToolRun {
  readonly imageId: string;
  readonly command: readonly string[];
  /** As Docker takes them: `host path:container path[:ro]`. */
  readonly binds: readonly string[];
  readonly workingDirectory?: string;
  /** Says whose container it is. */
  readonly label: string;
}

/** As the user of this command, who owns the directories. Throws Error with what it complained about. */
export async function runInImage(docker: Docker, run: ToolRun): Promise<void> {
  const container = await docker.createContainer({
    Image: run.imageId,
    Cmd: [...run.command],
    User: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    ...(run.workingDirectory === undefined ? {} : { WorkingDir: run.workingDirectory }),
    Labels: { [run.label]: 'tool' },
    HostConfig: {
      Binds: [...run.binds],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m' },
    },
  });
  try {
    const output = new PassThrough();
    const stderr: Buffer[] = [];
    output.on('data', (chunk: Buffer) => stderr.push(chunk));
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    docker.modem.demuxStream(stream, new PassThrough().resume(), output);
    await container.start();
    const { StatusCode: status } = (await container.wait()) as { StatusCode: number };
    if (status !== 0) {
      const words = Buffer.concat(stderr).toString().trim();
      throw new Error(`${run.command.join(' ')} ended with exit code ${status}: ${words}`);
    }
  } finally {
    await container.remove({ force: true, v: true });
  }
}
