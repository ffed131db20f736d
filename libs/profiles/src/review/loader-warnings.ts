/** What loads other code into a program than its image has: told by the environment, by inputs, or seen in a recording. */
import { isAtOrBelow, variableOf } from '../files/paths.js';
import { visible } from '../kernel/visible-text.js';
import { type Recording } from '../model/recording.js';

/** A run whose recording, or whose denials, are behind a version. */
export interface ReviewedRun {
  readonly runId: string;
  readonly jobId: string;
  /** Of the job, over the image's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where its inputs were mounted. */
  readonly inputPaths: readonly string[];
  /** Undefined where there is none, or none with files. */
  readonly files?: Recording['files'];
}

export interface LoaderWarning {
  readonly kind: 'environment' | 'input' | 'execution';
  /** The variable and its value, the path of the input, or the executed program. Invisible characters are written out. */
  readonly subject: string;
  readonly reason: string;
  /** Runs that it is about, and the first of them. */
  readonly runs: number;
  readonly runId: string;
  readonly jobId: string;
}

interface Finding {
  readonly kind: LoaderWarning['kind'];
  readonly subject: string;
  readonly reason: string;
}

const VALUE_CHARACTERS = 200;

/** Environment variables by the programs that read them (ld.so(8), gconv, and the interpreters' manuals). */
const VARIABLES: readonly (readonly [name: RegExp, reason: string])[] = [
  [/^LD_/, 'tells the dynamic linker which code to load, or how'],
  [/^(?:GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|GETCONF_DIR|NIS_PATH)$/, 'tells the C library what to load, or how'],
  [
    /^(?:PYTHON(?:PATH|HOME|STARTUP|USERBASE|EXECUTABLE|INSPECT|BREAKPOINT|PLATLIBDIR))$/,
    'tells Python which code to load',
  ],
  [/^(?:PERL5?LIB|PERL5OPT|PERL5DB)$/, 'tells Perl which code to load'],
  [/^(?:RUBYLIB|RUBYOPT|GEM_PATH|GEM_HOME|BUNDLE_GEMFILE)$/, 'tells Ruby which code to load'],
  [/^(?:NODE_PATH|NODE_OPTIONS)$/, 'tells Node which code to load'],
  [
    /^(?:R_LIBS(?:_USER|_SITE)?|R_PROFILE(?:_USER)?|R_ENVIRON(?:_USER)?|R_HOME|R_DEFAULT_PACKAGES)$/,
    'tells R which code to load',
  ],
  [/^(?:CLASSPATH|_?JAVA_(?:TOOL_)?OPTIONS|JDK_JAVA_OPTIONS)$/, 'tells Java which code to load'],
  [/^(?:LUA_C?PATH(?:_5_\d)?|LUA_INIT(?:_5_\d)?)$/, 'tells Lua which code to load'],
  [
    /^(?:JULIA_(?:LOAD_PATH|DEPOT_PATH|PROJECT)|OCTAVE_PATH|MATLABPATH|TCLLIBPATH|GUILE_LOAD_PATH)$/,
    'tells its interpreter which code to load',
  ],
  [/^(?:BASH_ENV|ENV|BASH_FUNC_.*|PROMPT_COMMAND|PATH)$/, 'tells shells which code or programs to run'],
  [
    /^(?:OPENSSL_(?:CONF|ENGINES|MODULES)|QT_PLUGIN_PATH|GIO_(?:EXTRA_)?MODULES|GTK_(?:PATH|MODULES)|HDF5_PLUGIN_PATH|OCL_ICD_VENDORS)$/,
    'tells a library which plug-ins to load',
  ],
];

/** In the order in which a path is judged; an input at, below or above a place takes the place of what the image has there. */
const PLACES: readonly (readonly [places: readonly string[], reason: string])[] = [
  [['/etc/ld.so.preload'], 'names code that the dynamic linker loads into every program'],
  [['/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d'], 'tells the dynamic linker where code is'],
  [
    [
      '/lib',
      '/lib32',
      '/lib64',
      '/libx32',
      '/usr/lib',
      '/usr/lib32',
      '/usr/lib64',
      '/usr/libexec',
      '/usr/local/lib',
      '/usr/local/lib64',
    ],
    'lies where programs look for their code',
  ],
  [
    ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'],
    'lies where the programs of the image are',
  ],
];
/** musl's own list of directories. */
const MUSL_PATHS = /^\/etc\/ld-musl-[^/]*\.path$/;
const LIBRARY = /\.so(?:\.\d+)*$/;
const CODE = /\.(?:py|pyc|pth|whl|egg|pl|pm|rb|R|r|jl|lua|js|mjs|cjs|jar|class|sh|bash|tcl)$/;

/** One for each subject, the most common first. `runs`: oldest first. */
export function loaderWarnings(runs: readonly ReviewedRun[]): readonly LoaderWarning[] {
  const found = new Map<string, LoaderWarning>();
  for (const run of runs) {
    for (const finding of distinct([...environmentOf(run), ...inputsOf(run), ...executionsOf(run)])) {
      const key = keyOf(finding);
      const { runId, jobId } = run;
      const known = found.get(key) ?? { ...finding, runs: 0, runId, jobId };
      found.set(key, { ...known, runs: known.runs + 1 });
    }
  }
  return [...found.values()].sort((a, b) => b.runs - a.runs);
}

function environmentOf({ environment }: ReviewedRun): readonly Finding[] {
  return Object.entries(environment).flatMap(([name, value]): Finding[] => {
    const reason = VARIABLES.find(([pattern]) => pattern.test(name))?.[1];
    return reason === undefined ? [] : [{ kind: 'environment', subject: shown(`${name}=${value}`), reason }];
  });
}

function inputsOf({ inputPaths }: ReviewedRun): readonly Finding[] {
  return inputPaths.flatMap((path): Finding[] => {
    const reason = reasonOfInput(path);
    return reason === null ? [] : [{ kind: 'input', subject: shown(path), reason }];
  });
}

function reasonOfInput(path: string): string | null {
  const place = PLACES.find(([places]) => places.some((at) => isAtOrBelow(path, at) || isAtOrBelow(at, path)));
  if (place) return place[1];
  if (MUSL_PATHS.test(path)) return 'tells the dynamic linker where code is';
  if (LIBRARY.test(path)) return 'is named like a library, which may be loaded into the program';
  return CODE.test(path) ? 'is named like code that an interpreter runs: the recording is of what it does' : null;
}

function executionsOf({ files = [] }: ReviewedRun): readonly Finding[] {
  return files
    .filter(({ access, result }) => access === 'execute' && result === 'ok')
    .flatMap(({ path }): Finding[] => {
      const reason = reasonOfExecution(path);
      return reason === null ? [] : [{ kind: 'execution', subject: shown(path), reason }];
    });
}

function reasonOfExecution(path: string): string | null {
  if (path.startsWith('memfd:')) return 'a program that has no file was executed';
  const variable = variableOf(path);
  if (variable === undefined) return null;
  return variable === '{inputs}'
    ? 'a program among the inputs was executed'
    : 'a program that the job wrote was executed';
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()];
}

function keyOf({ kind, subject, reason }: Finding): string {
  return JSON.stringify([kind, subject, reason]);
}

function shown(text: string): string {
  const cut =
    text.length > VALUE_CHARACTERS ? `${text.slice(0, VALUE_CHARACTERS).replace(/[\ud800-\udbff]$/, '')}...` : text;
  return visible(cut);
}
