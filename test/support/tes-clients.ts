/** Clients of TES that are written in Python, as programs that ask a grid of the test's. */
import { join } from 'node:path';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type PythonRun, runPython } from '../../scripts/setup/python-environment.js';
import { tesClients } from '../../scripts/setup/tes-clients.js';

const CLIENTS = 'test/clients';

/** Who asks, in the variables that the programs read. */
export type Credentials = Readonly<Record<string, string>>;

export class TesClients {
  private constructor(
    /** With the packages of scripts/setup/tes-clients.txt. */
    readonly environment: string,
    private readonly directory: string,
  ) {}

  /** Programs run in `directory`. */
  static install(directory: string): TesClients {
    return new TesClients(tesClients(), directory);
  }

  /** The answer of a command of test/clients/<program>.py. Throws Error with what the program complained of. */
  async ask(program: string, variables: Credentials, command: string, ...given: readonly unknown[]): Promise<unknown> {
    const file = join(process.cwd(), CLIENTS, `${program}.py`);
    const parameters = [file, command, ...given.map((each) => JSON.stringify(each))];
    const { exitCode, stdout, stderr } = await this.run('python', parameters, { variables });
    if (exitCode !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** A program of the environment. */
  run(
    program: string,
    parameters: readonly string[],
    { variables = {}, directory = this.directory }: { variables?: Credentials; directory?: string } = {},
  ): Promise<PythonRun> {
    const path = join(this.environment, 'bin', program);
    return runPython(path, parameters, { directory, variables });
  }
}

/** As clients are told it: they put their paths behind it. */
export async function baseUrl(app: NestFastifyApplication): Promise<string> {
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}
