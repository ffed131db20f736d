/** Finds the mounts below a directory. */

/** The last mounted first. The fifth field is the mount point, in which a space is written \040 (proc(5)). */
export function mountsBelow(directory: string, mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) => path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8))))
    .filter((path) => path.startsWith(`${directory}/`))
    .toReversed();
}
