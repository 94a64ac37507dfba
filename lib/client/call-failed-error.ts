import type { Failure } from './call.ts';

/** A {@link Failure}, for those who would rather have it thrown. */
export class CallFailedError extends Error {
  /** The problem's. */
  readonly code: string;
  /** 0: no answer came, or nothing was sent. */
  readonly status: number;
  /** When the service says so. */
  readonly retryAfterMs: number | undefined;

  constructor({ problem, status, retryAfterMs }: Failure) {
    super(messageOf(problem));
    this.name = 'CallFailedError';
    this.code = problem.code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What is wrong with which field, too: never what was in it. */
const messageOf = ({ detail, errors = [] }: Failure['problem']): string =>
  [detail, ...errors.map(({ field, message }) => `${field} ${message}`)].join('; ');
