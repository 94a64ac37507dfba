/** What follows from a step that did not go well. Pure. */
import { AppError, KeyRefusedError } from '../errors.ts';
import type { Problem } from './job.ts';

/** Tries of one step, those included that were never heard of again. */
export const MAX_ATTEMPTS = 5;

const FIRST_WAIT_MS = 5_000;
const RETRIED: readonly number[] = [429, 503, 504];

export type AfterFailure =
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'fail'; readonly problem: Problem };

/** @param attempts tries so far, the one that failed included. */
export function afterFailure(error: unknown, attempts: number): AfterFailure {
  if (attempts < MAX_ATTEMPTS && isRetried(error)) return { kind: 'wait', delayMs: waitMs(attempts) };
  return { kind: 'fail', problem: problemOf(error) };
}

/** Before the next try: 5, 20, 80, 320 s. */
export const waitMs = (attempts: number): number => FIRST_WAIT_MS * 4 ** (attempts - 1);

// Waiting does not help against a key that is refused.
const isRetried = (error: unknown): boolean =>
  error instanceof AppError && RETRIED.includes(error.status) && !(error instanceof KeyRefusedError);

/** What a bug says may hold anything: only errors thrown on purpose are told. */
const problemOf = (error: unknown): Problem =>
  error instanceof AppError
    ? { code: error.code, detail: error.message }
    : { code: 'internal', detail: 'Something went wrong on our side' };
