/** Seen while the service cannot be reached, or says that it cannot now. 0: no answer came. */
const PASSING: readonly unknown[] = [0, 429, 503, 507];

/**
 * Sessions could not be read or kept; `cause` is the service's own error. It has a status of its own, because frameworks send an
 * error's to the visitor, who is not to be told 401 when the key of the server has expired.
 */
export class SessionStoreError extends Error {
  /** The problem's, as `rate_limited`, `store_unavailable`, `session_lost`; `internal`: none of the service's. */
  readonly code: string;
  /** For the visitor: 503 may pass, 500 does not. */
  readonly status: 500 | 503;
  /** When the service says so. */
  readonly retryAfterMs: number | undefined;

  constructor(cause: unknown) {
    const { code, status, retryAfterMs } = cause as Readonly<
      Partial<Record<'code' | 'status' | 'retryAfterMs', unknown>>
    >;
    super(cause instanceof Error ? cause.message : 'The session could not be read or kept', { cause });
    this.name = 'SessionStoreError';
    this.code = typeof code === 'string' ? code : 'internal';
    this.status = PASSING.includes(status) ? 503 : 500;
    this.retryAfterMs = typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
  }
}
