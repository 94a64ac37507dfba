/**
 * What a limit may be called and what it may be. The law is one for HTTP and the library; the bounds keep the arithmetic of
 * the script whole: 1,000,000 tokens of 30 days are 2.6 * 10^15 units, below 2^53.
 */
import { InvalidRequestError, type Issue } from '../errors.ts';

/** No `:`: it would end the name within a Redis key. */
export const LIMIT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const MAX_IDENTIFIER_CHARACTERS = 256;
/** Tokens, or calls in a window. */
export const MAX_LIMIT = 1_000_000;
export const MAX_WINDOW_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * `fixed_window`: at most `limit` in each window, which begins with the first call of it. `token_bucket`: `limit` at once,
 * refilled evenly over the window.
 */
export const ALGORITHMS = ['fixed_window', 'token_bucket'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** One check: may `identifier` do something that costs `cost`? */
export interface LimitCheck {
  readonly name: string;
  /** Whom it counts. */
  readonly identifier: string;
  readonly limit: number;
  readonly windowMs: number;
  /** 0: only look, and say whether a cost of 1 would fit. Default 1. */
  readonly cost?: number | undefined;
  /** Default `fixed_window`. */
  readonly algorithm?: Algorithm | undefined;
  /** While nobody can be asked: `allow` only where the key was admitted of late. Default `deny`. */
  readonly onUnavailable?: 'deny' | 'allow' | undefined;
}

/** @throws {InvalidRequestError} naming each part that does not fit. */
export function checkLimitCheck({ name, identifier, limit, windowMs, cost = 1 }: LimitCheck): void {
  const issues = [
    LIMIT_NAME.test(name) ? undefined : { field: 'name', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' },
    isIdentifier(identifier)
      ? undefined
      : { field: 'identifier', message: `must be 1 to ${MAX_IDENTIFIER_CHARACTERS} characters of well-formed text` },
    wholeIssue('limit', limit, 1, MAX_LIMIT),
    wholeIssue('window_ms', windowMs, 1, MAX_WINDOW_MS),
    wholeIssue('cost', cost, 0, limit),
  ].filter((issue) => issue !== undefined);
  if (issues.length > 0) throw new InvalidRequestError('The limit cannot be checked so', { issues });
}

const isIdentifier = (text: string) =>
  text.length >= 1 && text.length <= MAX_IDENTIFIER_CHARACTERS && text.isWellFormed();

const wholeIssue = (field: string, value: number, min: number, max: number): Issue | undefined =>
  Number.isInteger(value) && value >= min && value <= max
    ? undefined
    : { field, message: `must be a whole number from ${min} to ${max}` };
