/** Why a request to the container engine failed. */

export type EngineErrorReason = 'status' | 'timeout' | 'aborted' | 'connection' | 'too-large' | 'malformed';

const TEXT_CHARACTERS = 1000;

/** Its message may hold what the engine said, and through it what others said: it is for the worker's log alone. */
export class EngineError extends Error {
  override readonly name = 'EngineError';

  constructor(
    readonly reason: EngineErrorReason,
    message: string,
    /** HTTP status, with the reason `status`. */
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(message.trim().slice(0, TEXT_CHARACTERS), options);
  }
}

export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isOfParser = typeof code === 'string' && /^(HPE_|UND_ERR_(HEADERS_OVERFLOW|RES_|SOCKET_PARSER))/.test(code);
  return new EngineError(isOfParser ? 'malformed' : 'connection', String(message ?? error), undefined, {
    cause: error,
  });
}

/** HTTP status of the engine's answer, where the error came from one. */
export function engineStatus(error: unknown): number | undefined {
  const source = error instanceof EngineError ? error : (error as { cause?: unknown }).cause;
  return source instanceof EngineError ? source.status : undefined;
}

/** The same in words of ours, which anybody may read. */
export function reasonInWords({ reason, status }: EngineError): string {
  switch (reason) {
    case 'status':
      return `it answered with HTTP status ${status}`;
    case 'timeout':
      return 'it did not answer in time';
    case 'aborted':
      return 'the worker gave up';
    case 'connection':
      return 'the connection failed';
    case 'too-large':
      return 'its answer was too large';
    case 'malformed':
      return 'its answer was not understood';
  }
}
