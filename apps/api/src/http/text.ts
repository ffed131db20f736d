/** The schemas of all text that callers send: what Postgres can store, as text and in JSON, and of bounded length. */
import { z } from 'zod';

const UNSTORABLE = 'must not contain null bytes or halves of characters';

/** Postgres has no null byte in text or jsonb, and UTF-8 has no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}

/** Adds the rule to a schema of text that has its own form, such as a URL. */
export function storable<Schema extends z.ZodString | z.ZodURL>(schema: Schema): Schema {
  return schema.check(z.refine(isStorable, { error: UNSTORABLE })) as Schema;
}

/** Text of at most so many characters (UTF-16 units). */
export function text(maximum: number): z.ZodString {
  return storable(z.string().max(maximum));
}

type TextRecord = Readonly<Record<string, string>>;

interface TextRecordOptions {
  readonly name?: z.ZodString;
  readonly value?: z.ZodString;
  /** Members at most. */
  readonly maximum?: number;
}

/**
 * An object of texts under names of the caller's own, __proto__ and constructor among them: z.record() drops the first.
 * Without options, for answers.
 */
export function textRecord(options: TextRecordOptions = {}): z.ZodType<TextRecord, TextRecord> {
  const { name = z.string(), value = z.string(), maximum } = options;
  const { $schema: _dialect, ...valueSchema } = z.toJSONSchema(value, { target: 'openapi-3.0' });
  return z
    .custom<TextRecord>()
    .superRefine((record: unknown, context) => {
      if (!isObject(record)) return context.addIssue({ code: 'custom', message: 'must be an object' });
      const members = Object.entries(record);
      if (maximum !== undefined && members.length > maximum) {
        return context.addIssue({ code: 'custom', message: `must have at most ${maximum} members` });
      }
      for (const [key, each] of members) {
        const issues = [name.safeParse(key), value.safeParse(each)].flatMap(({ error }) => error?.issues ?? []);
        for (const { message } of issues) context.addIssue({ code: 'custom', path: [key], message });
      }
    })
    .meta({
      type: 'object',
      additionalProperties: valueSchema,
      ...(maximum !== undefined && { maxProperties: maximum }),
    });
}

type Document = Readonly<Record<string, unknown>>;

/** A JSON object whose form something else checks; all of its text can be stored. */
export function document(): z.ZodType<Document, Document> {
  return z
    .custom<Document>()
    .superRefine((value: unknown, context) => {
      if (!isObject(value)) return context.addIssue({ code: 'custom', message: 'must be an object' });
      for (const path of unstorablePlaces(value)) context.addIssue({ code: 'custom', path, message: UNSTORABLE });
    })
    .meta({ type: 'object', additionalProperties: true });
}

/** The body's depth is bounded before it is parsed, so this is too. */
function unstorablePlaces(value: unknown, path: PropertyKey[] = []): PropertyKey[][] {
  if (typeof value === 'string') return isStorable(value) ? [] : [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...(isStorable(key) ? [] : [path]),
    ...unstorablePlaces(each, [...path, key]),
  ]);
}

/** A point in time as Postgres takes it, whatever offset or year ISO 8601 lets it be written with. */
export function instant(): z.ZodType<Date, string> {
  return z.iso.datetime({ offset: true }).transform((written, context) => {
    const date = new Date(written);
    if (!Number.isNaN(date.getTime())) return date;
    context.addIssue({ code: 'custom', message: 'is no point in time' });
    return z.NEVER;
  });
}

/** A whole number in a query, in decimal digits alone. */
export function integerParameter(minimum: number, maximum: number) {
  return z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given),
    z.int().min(minimum).max(maximum),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
