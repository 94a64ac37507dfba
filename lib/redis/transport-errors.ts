/** The ways a trip to Redis fails, for both transports: it changed nothing, or nobody knows; or it cannot be made at all. */
import { BodyTooLargeError, OutcomeUnknownError, RedisUnavailableError } from '../errors.ts';

/** Milliseconds a caller is told to wait before trying again. */
const RETRY_AFTER_MS = 1_000;

/** Why a trip failed; in `details.reason`, for the log and the health check. */
export type TransportReason =
  | 'not_connected'
  | 'timeout'
  | 'aborted'
  | 'connection_lost'
  | 'endpoint_failed'
  | 'not_now'
  | 'credentials_refused'
  | 'closed';

/** The command never left, or Redis answered that it cannot run it now. Nothing was changed. */
export function unavailable(reason: TransportReason, detail?: string): RedisUnavailableError {
  const details = { reason, ...(detail === undefined ? {} : { detail }) };
  return new RedisUnavailableError(MESSAGES[reason], { details, retryAfterMs: RETRY_AFTER_MS });
}

/** The command was sent and no reply came. Nothing is known about what it did. */
export function unanswered(reason: TransportReason, detail?: string): OutcomeUnknownError {
  const details = { reason, ...(detail === undefined ? {} : { detail }) };
  return new OutcomeUnknownError('Redis did not answer; the write may or may not be applied', {
    details,
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** The command is larger than the endpoint takes in one request. Nothing was changed, and trying again does not help. */
export const requestTooLarge = (): BodyTooLargeError =>
  new BodyTooLargeError('As it would be stored, this is larger than the Redis endpoint takes in one request');

/** Whether trying again can help: not with a wrong password, nor on a driver that was closed. */
export function isPassing(error: RedisUnavailableError): boolean {
  return error.details.reason !== 'credentials_refused' && error.details.reason !== 'closed';
}

/** Whether Redis itself said so, of one command: the others of its pipeline may have gone well. */
export function isFromRedis(error: RedisUnavailableError): boolean {
  return error.details.reason === 'not_now';
}

const MESSAGES: Readonly<Record<TransportReason, string>> = {
  not_connected: 'Redis cannot be reached',
  timeout: 'Redis did not answer in time',
  aborted: 'The call ended before Redis was reached',
  connection_lost: 'The connection to Redis was lost',
  endpoint_failed: 'The Redis endpoint failed',
  not_now: 'Redis cannot serve this command now',
  credentials_refused: 'Redis refused the configured password or token',
  closed: 'This Redis driver was closed',
};
