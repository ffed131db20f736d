/** Conditions on scalar arguments, in the words of the OCI runtime specification (config-linux.md, "Seccomp"). */

export const COMPARISONS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** An unsigned 64-bit value as "0x..." in lower case without leading zeros: JSON numbers lose bits above 2^53. */
export type Hex = `0x${string}`;

/** Unsigned, over the low 32 bits where the kernel reads no more of the argument (see the width table). */
export interface Condition {
  /** 0 to 5. */
  readonly argument: number;
  readonly op: Comparison;
  readonly value: Hex;
  /** With SCMP_CMP_MASKED_EQ, and only there: argument & mask must equal `value`. */
  readonly mask?: Hex;
}
