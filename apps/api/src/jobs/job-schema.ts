/** What a job's submission may say, with its bounds and defaults. */
import { ENFORCEMENTS, MONITORINGS, ARCHITECTURES } from '#lib/profiles';
import { z } from 'zod';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const RESERVED = ['/proc', '/sys', '/dev', '/run/porin'];

/** An absolute, normalised path in the container that hides nothing the sandbox relies on. */
const mountPath = z
  .string()
  .max(4096)
  .refine((path) => /^(\/[^/\0]+)+$/.test(path) && !path.split('/').some((part) => part === '.' || part === '..'), {
    error: 'must be an absolute path without ".", ".." or empty parts',
  })
  .refine((path) => !RESERVED.some((reserved) => path === reserved || path.startsWith(`${reserved}/`)), {
    error: `must not lie in ${RESERVED.join(', ')}`,
  });

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const inputSchema = z
  .strictObject({ url: z.url().optional(), content: z.string().optional(), path: mountPath, sha256: sha256.optional() })
  .refine((input) => (input.url === undefined) !== (input.content === undefined), {
    error: 'needs either url or content',
  });
const outputSchema = z.strictObject({ url: z.url(), path: mountPath });

const executorSchema = z
  .strictObject({
    application: z.string().max(128).optional(),
    image: z.string().min(1).max(512).optional(),
    command: z.array(z.string().max(131_072)).max(1024).default([]),
    environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(131_072)).default({}),
    workingDirectory: mountPath.optional(),
  })
  .refine((executor) => (executor.application === undefined) !== (executor.image === undefined), {
    error: 'needs either application or image',
  })
  .refine((executor) => executor.application !== undefined || executor.command.length > 0, {
    error: 'an executor with an image needs a command',
  });

export const jobSchema = z
  .strictObject({
    name: z.string().max(256).default(''),
    executors: z.array(executorSchema).min(1).max(16),
    inputs: z.array(inputSchema).max(1000).default([]),
    outputs: z.array(outputSchema).max(1000).default([]),
    resources: z
      .strictObject({
        cpuMilli: z.int().min(10).max(1_000_000).default(1000),
        memoryBytes: z
          .int()
          .min(16 * MIB)
          .default(GIB),
        diskBytes: z.int().min(MIB).default(GIB),
        wallTimeS: z.int().min(1).max(2_592_000).default(3600),
      })
      .prefault({}),
    enforcement: z.enum(ENFORCEMENTS).optional(),
    monitoring: z.enum(MONITORINGS).optional(),
    architecture: z.enum(ARCHITECTURES).default(process.arch === 'arm64' ? 'aarch64' : 'x86_64'),
    priority: z.int().min(-100).max(100).default(0),
    tags: z.record(z.string().max(128), z.string().max(1024)).default({}),
  })
  .superRefine((job, context) => {
    const paths = [...job.inputs, ...job.outputs].map((reference) => reference.path);
    paths.forEach((path, index) => {
      const clash = paths.slice(0, index).find((other) => isAtOrBelow(path, other) || isAtOrBelow(other, path));
      if (clash !== undefined) context.addIssue({ code: 'custom', message: `the paths ${clash} and ${path} overlap` });
    });
  });

export type JobRequest = z.infer<typeof jobSchema>;

function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
