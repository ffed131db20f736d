/** What is read of the engine's answers (Docker Engine API 1.40 and later); the rest of them is not looked at. */
import { z } from 'zod';

const text = z.string().max(4096);
const orEmpty = <T extends z.ZodType>(of: T) =>
  z
    .array(of)
    .nullish()
    .transform((list) => list ?? []);

export const IMAGE_ID = /^sha256:[0-9a-f]{64}$/;

/** What is only shown or compared: Podman's runtime says in some two hundred characters how it was built. */
const words = z.string().transform((said) => Buffer.from(said.slice(0, 200)).toString());

export const versionAnswer = z.object({
  Version: words,
  Components: orEmpty(z.object({ Name: words, Version: words.nullish() })),
});

export const infoAnswer = z.object({
  DockerRootDir: text.nullish(),
  Driver: text.nullish(),
  DriverStatus: z.array(z.array(text)).nullish(),
  NCPU: z.int().nonnegative().nullish(),
  MemTotal: z.int().nonnegative().nullish(),
});

/** Strings have no bound of their own: the whole answer has one. */
export const imageAnswer = z.object({
  Id: z.string().regex(IMAGE_ID),
  RepoTags: orEmpty(z.string()),
  RepoDigests: orEmpty(z.string()),
  Os: text,
  Architecture: text,
  Size: z.number().nonnegative().default(0),
  RootFS: z.object({ Layers: orEmpty(z.string()) }).default({ Layers: [] }),
  Config: z
    .object({
      Entrypoint: z
        .union([z.string(), z.array(z.string())])
        .nullish()
        .transform((value) => (typeof value === 'string' && value !== '' ? [value] : value || [])),
      Cmd: orEmpty(z.string()),
      Env: orEmpty(z.string()),
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
      // Its keys are paths of the image's choice: a record of zod's would drop "__proto__".
      Volumes: z.custom<object>((value) => typeof value === 'object' && value !== null).nullish(),
    })
    .nullish(),
});
export type ImageAnswer = z.output<typeof imageAnswer>;

export const imageListAnswer = z.array(
  z.object({
    Id: z.string().regex(IMAGE_ID),
    RepoTags: orEmpty(z.string()),
    RepoDigests: orEmpty(z.string()),
    Size: z.number().nonnegative().default(0),
  }),
);

/** What a registry says that a reference names. */
export const distributionAnswer = z.object({ Descriptor: z.object({ digest: text }) });

const containerId = z.string().regex(/^[0-9a-f]{1,128}$/);
export const containerListAnswer = z.array(z.object({ Id: containerId }));
export const createdAnswer = z.object({ Id: containerId });
export const containerAnswer = z.object({
  State: z.object({ Pid: z.int().nonnegative(), OOMKilled: z.boolean() }),
});
