/** Which directories of an image belong together, and which are never one thing: the tables of the generaliser. */
import { parentOf, upwards } from './paths.js';

/** These never become a tree because many of their files were read; directories below them may. `*` is one name. */
const BOUNDARIES = new Set([
  ...['/', '/boot', '/dev', '/etc', '/home', '/home/*', '/media', '/mnt', '/opt', '/proc', '/proc/*', '/root'],
  ...['/run', '/run/*', '/srv', '/sys', '/sys/*', '/tmp', '/usr', '/usr/local', '/usr/local/share', '/usr/share'],
  ...['/var', '/var/*'],
]);

/** Libraries and packages: what one input makes a program load of them, the next one may not. `*` is one name. */
const LIBRARIES = new Set([
  ...['/lib', '/lib32', '/lib64', '/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/libexec'],
  ...['/usr/local/lib', '/usr/local/lib64', '/opt/*', '/usr/share/*', '/usr/local/share/*'],
]);
/** Wherever they are: in a virtual environment, or in somebody's home. */
const PACKAGES = /\/(?:lib(?:32|64)?\/python\d[.\d]*|site-packages|dist-packages|node_modules)$/;

/** Facts of the machine, spelled differently on the next node: one use stands for the tree. */
const MACHINE = new Set(['/sys/devices/system/node', '/sys/fs/cgroup']);

const SHELL = /\/(?:ba|da|a|z|k|mk|pdk|c|tc|fi)?sh$|\/busybox[^/]*$/;

export function isShell(program: string): boolean {
  return SHELL.test(program);
}

export function isBoundary(directory: string): boolean {
  return isListed(BOUNDARIES, directory);
}

/** The outermost tree of libraries, packages or facts of the machine that the path is or lies in. */
export function areaOf(path: string): { readonly tree: string; readonly kind: 'libraries' | 'machine' } | undefined {
  const tree = upwards(path).findLast((at) => isLibrary(at) || MACHINE.has(at));
  return tree === undefined ? undefined : { tree, kind: MACHINE.has(tree) ? 'machine' : 'libraries' };
}

function isLibrary(directory: string): boolean {
  return isListed(LIBRARIES, directory) || PACKAGES.test(directory);
}

function isListed(table: ReadonlySet<string>, path: string): boolean {
  const parent = parentOf(path);
  return table.has(path) || (parent !== undefined && table.has(parent === '/' ? '/*' : `${parent}/*`));
}
