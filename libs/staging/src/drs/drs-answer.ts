/** What a DRS server says of an object (GA4GH DRS 1.5, DrsObject and AccessURL), as far as it is needed. */
import { isReservedHeader } from '#lib/jobs';
import { z } from 'zod';

const accessUrl = z.object({
  url: z.string().max(8192),
  /** Each `Name: value`. */
  headers: z.array(z.string().max(16_384)).max(100).nullish(),
});

const accessMethod = z.object({
  type: z.string(),
  access_url: accessUrl.nullish(),
  access_id: z.string().min(1).max(8192).nullish(),
});

export const drsObject = z.object({
  size: z.number().int().min(0).nullish(),
  checksums: z
    .array(z.object({ type: z.string(), checksum: z.string() }))
    .max(100)
    .nullish(),
  access_methods: z.array(accessMethod).max(100).nullish(),
});
export const drsAccess = accessUrl;

export type DrsObject = z.infer<typeof drsObject>;
export type AccessUrl = z.infer<typeof accessUrl>;
export type AccessMethod = z.infer<typeof accessMethod>;

/** In the order in which they are taken. */
const TYPES = ['https', 's3'];

/** Undefined where the object has none that can be used. */
export function bestMethod({ access_methods: methods }: DrsObject): AccessMethod | undefined {
  const usable = methods?.filter((method) => method.access_url != null || method.access_id != null) ?? [];
  return TYPES.flatMap((type) => usable.filter((method) => method.type === type))[0];
}

/** Names in lower case; lines that are no header, or one that a transfer says itself, are passed over. */
export function accessHeaders({ headers }: AccessUrl): Readonly<Record<string, string>> {
  const lines = headers?.flatMap((line) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(line) ?? [];
    return name === undefined || value === undefined || isReservedHeader(name)
      ? []
      : [[name.toLowerCase(), value] as const];
  });
  return Object.fromEntries(lines ?? []);
}
