/** How the programs end when something goes wrong: with a line in the log and an exit code, so that a supervisor starts them again. */

/** What an exit code of the API or a worker says. */
export const EXIT_CODES = {
  /** Something that nobody expected, or a bad environment; the log says what. */
  failed: 1,
  /** The database has another schema than this program: upgrade the one or the other. */
  otherSchema: 3,
} as const;

interface FatalLog {
  fatal(details: object, message: string): void;
}

/**
 * From now on an error that nothing catches ends this process with `EXIT_CODES.failed`. Its state is unknown then, and what
 * was running is taken up again by the next process.
 */
export function endOnUncaughtErrors(logger: FatalLog): void {
  // What frameworks print on a full disk is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error, event }, 'an error that nothing caught ends this program');
      process.exit(EXIT_CODES.failed);
    });
  }
}
