/** Redis over HTTPS, through @upstash/redis: for Lambda functions, which keep no connection. */
import type { RedisConfig } from '../config/config.ts';
import type { RedisCommand, RedisDriver, RedisReply, SendOptions } from './driver.ts';
import { inTrips, type SlotReply } from './pipeline.ts';
import { replyError } from './reply-error.ts';
import { restFault } from './rest-fault.ts';
import { createRestRequester, type RestReply, type RestRequest, type RestRequester } from './rest-requester.ts';
import { withRetries } from './retries.ts';
import { unanswered, unavailable } from './transport-errors.ts';

export type RestDriverConfig = Pick<
  RedisConfig,
  | 'restUrl'
  | 'restToken'
  | 'commandTimeoutMs'
  | 'retryAttempts'
  | 'retryDelayMs'
  | 'enablePipelining'
  | 'maxPipelineSize'
>;

/**
 * A RedisDriver over the Upstash REST API. The client is built on the first call. Connections are fetch's own, so
 * `poolSize` and `connectionTimeoutMs` do not apply; `commandTimeoutMs` covers connecting.
 */
export function createRestDriver(config: RestDriverConfig): RedisDriver {
  let requester: RestRequester | null = null;
  let closed = false;

  const post = (request: Omit<RestRequest, 'signal'>, options: SendOptions): Promise<unknown> =>
    withRetries(config, options, (timeoutMs) => {
      if (closed) throw unavailable('closed');
      requester ??= createRestRequester(config);
      return answered(requester, request, timeoutMs, options.signal);
    });

  return {
    async send(command, options) {
      return reply((await post({ body: command }, options)) as RestReply);
    },
    sendAll(commands, options) {
      return inTrips(config, commands, options, async (trip) =>
        slots(trip, await post({ body: trip, path: ['pipeline'] }, options), options),
      );
    },
    async close() {
      closed = true;
    },
  };
}

/** One request and its answer, or what its failure means. */
async function answered(
  requester: RestRequester,
  request: Omit<RestRequest, 'signal'>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const over = new AbortController();
  const end = () => over.abort();
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  try {
    return await requester({ ...request, signal: over.signal });
  } catch (thrown) {
    throw restFault(thrown, over.signal.aborted);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

function reply(answer: RestReply): RedisReply {
  if (typeof answer.error === 'string') throw replyError(answer.error);
  if (answer.result === undefined) throw unanswered('endpoint_failed');
  return answer.result as RedisReply;
}

function slots(trip: readonly RedisCommand[], answers: unknown, options: SendOptions): readonly SlotReply[] {
  if (!Array.isArray(answers) || answers.length !== trip.length) {
    throw options.kind === 'write' ? unanswered('endpoint_failed') : unavailable('endpoint_failed');
  }
  return answers.map((answer: RestReply) =>
    typeof answer.error === 'string' ? replyError(answer.error) : ((answer.result ?? null) as RedisReply),
  );
}
