/** What a table of the kernel's names for numbers is, and how a number is written that has no name. */

/** By value. */
export type Words = Readonly<Record<number, string>>;

/** "0x1f" */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
