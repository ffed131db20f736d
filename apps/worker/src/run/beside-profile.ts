/**
 * What a run did beside its profile, as far as its recording tells. Under `audit` these are denials that let the call go on:
 * names while it runs, all at its end. Under `enforce` they are the files that Landlock refused, which reports nothing itself.
 */
import { type Denial, type DenialList, type ListedDenial } from '#lib/execution';
import {
  type Departure,
  departures,
  type Enforcement,
  FILE_CALL,
  fileRefusals,
  describeUse,
  isOutside,
  nodeArchitecture,
  type Profile,
  quoted,
  type Recording,
  syscallNumber,
} from '#lib/profiles';

export class BesideProfile {
  readonly #architecture = nodeArchitecture(process.arch);
  readonly #isOutside: (call: string) => boolean;
  readonly #byName = new Map<string, ListedDenial>();

  constructor(
    private readonly profile: Profile,
    private readonly enforcement: Enforcement,
    private readonly list: DenialList,
  ) {
    this.#isOutside = isOutside(profile);
  }

  /** Counts so far, by name. */
  readonly takeCounts = (calls: Readonly<Record<string, number>>): void => {
    if (this.enforcement !== 'audit') return;
    for (const [call, count] of Object.entries(calls)) {
      if (count > 0 && this.#isOutside(call)) this.#name({ kind: 'call', call, values: {}, count });
    }
  };

  /** Exact, as the recording is; with the run's variables put into it. */
  finish(recording: Recording): void {
    if (this.enforcement === 'enforce') return this.#refusedFiles(recording);
    for (const departure of departures(recording, this.profile)) {
      if (departure.kind === 'call' && Object.keys(departure.values).length === 0) this.#name(departure);
      else this.list.add(this.#denial(departure));
    }
  }

  #refusedFiles(recording: Recording): void {
    for (const { access, path, errno, count } of fileRefusals(recording, this.profile)) {
      this.list.add({
        ...{ call: FILE_CALL, number: -1, architecture: this.#architecture, action: 'refused', errno, arguments: [] },
        ...{ description: `${access} ${quoted(path)}`, count },
      });
    }
  }

  #name(departure: Departure & { readonly kind: 'call' }): void {
    const { call, count } = departure;
    const known = this.#byName.get(call);
    if (known) known.setCount(count);
    else this.#byName.set(call, this.list.add(this.#denial(departure)));
  }

  #denial(departure: Departure): Denial {
    const call = departure.kind === 'file' ? FILE_CALL : departure.call;
    return {
      call,
      number: syscallNumber(this.#architecture, call) ?? -1,
      architecture: this.#architecture,
      action: departure.kind === 'refused' ? 'refused' : 'continued',
      ...(departure.kind === 'refused' && { errno: departure.errno }),
      arguments: [],
      description: descriptionOf(departure),
      count: departure.count,
    };
  }
}

function descriptionOf(departure: Departure): string {
  if (departure.kind === 'file') return `${departure.access} ${quoted(departure.path)}`;
  if (departure.kind === 'refused') return `${departure.call}()`;
  const values = Array.from({ length: 6 }, (_, argument) => {
    const value = departure.values[argument];
    return value === undefined ? undefined : BigInt(value);
  });
  return describeUse({ call: departure.call, values });
}
