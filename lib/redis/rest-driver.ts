/** Redis over HTTPS, through @upstash/redis: for Lambda functions, which keep no connection. */
import type { RedisConfig } from '../config/config.ts';
import type { RedisCommand, RedisDriver, RedisReply } from './driver.ts';
import { inTrips, type SlotReply } from './pipeline.ts';
import { replyError } from './reply-error.ts';
import { createRestBatcher } from './rest-batch.ts';
import { restFault } from './rest-fault.ts';
import { createRestRequester, type RestReply, type RestRequester, requestBytes } from './rest-requester.ts';
import { withRetries } from './retries.ts';
import { unanswered, unavailable } from './transport-errors.ts';
import type { WaitLimits } from './waiting.ts';

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
  let endpoint: ReturnType<typeof connect> | null = null;
  let closed = false;
  const open = () => {
    if (closed) throw unavailable('closed');
    endpoint ??= connect(config);
    return endpoint;
  };
  return {
    send: (command, options) =>
      withRetries(config, options, async (timeoutMs) =>
        oneReply(await open().sendOne(command, { timeoutMs, signal: options.signal })),
      ),
    sendAll: (commands, options) =>
      inTrips({ ...config, bytesOf: requestBytes }, commands, options, (trip) =>
        withRetries(config, options, (timeoutMs) =>
          pipeline(open().request, trip, { timeoutMs, signal: options.signal }),
        ),
      ),
    async close() {
      closed = true;
    },
  };
}

function connect(config: RestDriverConfig) {
  const request = createRestRequester(config);
  return { request, sendOne: createRestBatcher(request, config) };
}

function oneReply(answer: RestReply): RedisReply {
  if (typeof answer.error === 'string') throw replyError(answer.error);
  if (answer.result === undefined) throw unanswered('endpoint_failed');
  return answer.result as RedisReply;
}

/** One request for the whole list, and what each command gave. */
async function pipeline(
  request: RestRequester,
  trip: readonly RedisCommand[],
  limits: WaitLimits,
): Promise<readonly SlotReply[]> {
  const answers = await limited(limits, (signal) => request({ body: trip, path: ['pipeline'], signal }));
  if (!Array.isArray(answers) || answers.length !== trip.length) throw unanswered('endpoint_failed');
  return answers.map((answer: RestReply) =>
    typeof answer.error === 'string' ? replyError(answer.error) : ((answer.result ?? null) as RedisReply),
  );
}

/** Ends the request by its timeout or the caller's signal, and says what its failure means. */
async function limited(limits: WaitLimits, run: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const end = new AbortController();
  const abort = () => end.abort();
  const timer = setTimeout(abort, limits.timeoutMs);
  limits.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await run(end.signal);
  } catch (thrown) {
    throw restFault(thrown, end.signal.aborted);
  } finally {
    clearTimeout(timer);
    limits.signal?.removeEventListener('abort', abort);
  }
}
