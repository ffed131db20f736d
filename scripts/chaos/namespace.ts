/** A network namespace for one program, as if it ran on a machine of its own: one link to the services, which can be cut. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { type Instance } from '../services/instance.js';

const NAMESPACES = '/run/netns';
/** A hardware address that nobody has: frames to it are dropped without a word, as by a cable that was pulled. */
const NOBODY = '02:00:00:00:00:01';
const SUBNETS = 50;
const INNER_LINK = 'inner';

export class Namespace {
  private constructor(
    private readonly name: string,
    private readonly link: string,
    /** Of the services, as the program sees them. */
    readonly outside: string,
    /** Of the program, as others see it. */
    readonly inside: string,
  ) {}

  /** `index`: below 256, one for each of an instance. */
  static make(instance: Instance, index: number): Namespace {
    const id = idOf(instance);
    const subnet = `10.${200 + (parseInt(id, 16) % SUBNETS)}.${index}`;
    const made = new Namespace(`${prefixOf(instance)}${index}`, `pc${id}-${index}`, `${subnet}.1`, `${subnet}.2`);
    ip('netns', 'add', made.name);
    ip('link', 'add', made.link, 'type', 'veth', 'peer', 'name', INNER_LINK, 'netns', made.name);
    ip('address', 'add', `${made.outside}/30`, 'dev', made.link);
    ip('link', 'set', made.link, 'up');
    made.#inside('link', 'set', 'lo', 'up');
    made.#inside('address', 'add', `${made.inside}/30`, 'dev', INNER_LINK);
    made.#inside('link', 'set', INNER_LINK, 'up');
    return made;
  }

  /** Also those that an earlier process left. Their programs must have ended. */
  static removeAll(instance: Instance): void {
    for (const name of namespacesOf(instance)) ip('netns', 'delete', name);
  }

  /** The command that runs another one in here. Mounts and processes are those outside. */
  get within(): readonly string[] {
    return ['nsenter', `--net=${NAMESPACES}/${this.name}`];
  }

  /** Nothing comes through from now on, in neither direction, and nobody is told. */
  cut(): void {
    ip('neighbour', 'replace', this.inside, 'lladdr', NOBODY, 'dev', this.link, 'nud', 'permanent');
    this.#inside('neighbour', 'replace', this.outside, 'lladdr', NOBODY, 'dev', INNER_LINK, 'nud', 'permanent');
  }

  mend(): void {
    ip('neighbour', 'delete', this.inside, 'dev', this.link);
    this.#inside('neighbour', 'delete', this.outside, 'dev', INNER_LINK);
  }

  #inside(...args: readonly string[]): void {
    const [command = '', ...rest] = [...this.within, 'ip', ...args];
    execFileSync(command, rest);
  }
}

function namespacesOf(instance: Instance): readonly string[] {
  try {
    return readdirSync(NAMESPACES).filter((name) => name.startsWith(prefixOf(instance)));
  } catch {
    return [];
  }
}

/** Of this checkout: `porin-<id>-chaos`. */
function idOf(instance: Instance): string {
  return basename(instance.runDirectory).split('-')[1] ?? '';
}

function prefixOf(instance: Instance): string {
  return `${basename(instance.runDirectory)}-`;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}
