/**
 * Commands of one turn of the event loop share one request: under load that is several times the throughput, and a
 * lone command goes out alone. Each call keeps its own reply, timeout and signal.
 */
import type { RedisCommand } from './driver.ts';
import type { PipelineLimits } from './pipeline.ts';
import { restFault } from './rest-fault.ts';
import { checkSize, type RestReply, type RestRequester } from './rest-requester.ts';
import { unanswered, unavailable } from './transport-errors.ts';
import type { WaitLimits } from './waiting.ts';

/** Characters of commands in one shared request: big values are not made to wait for each other. */
const MAX_SHARED_CHARS = 256 * 1024;

export type SendOne = (command: RedisCommand, limits: WaitLimits) => Promise<RestReply>;

interface Waiter {
  readonly command: RedisCommand;
  /** Its caller gave up. */
  over: boolean;
  settle(answer: RestReply | Error): void;
}

interface Batch {
  readonly waiters: Waiter[];
  /** Aborts the request: when nobody waits for it any more. */
  readonly end: AbortController;
  chars: number;
  waiting: number;
  sent: boolean;
}

/** Sends single commands, up to `maxPipelineSize` in a request; each in its own when `enablePipelining` is false. */
export function createRestBatcher(request: RestRequester, limits: PipelineLimits): SendOne {
  const maxCommands = limits.enablePipelining ? limits.maxPipelineSize : 1;
  let open: Batch | null = null;

  const flush = (batch: Batch) => {
    if (open === batch) open = null;
    void sendBatch(request, batch);
  };

  return (command, call) => {
    const chars = sizeOf(command);
    let batch = open;
    if (batch === null || batch.waiters.length >= maxCommands || batch.chars + chars > MAX_SHARED_CHARS) {
      batch = { waiters: [], end: new AbortController(), chars: 0, waiting: 0, sent: false };
      open = batch;
      // After the promises of this turn: the answers of one request wake many callers, who call again at once.
      process.nextTick(flush, batch);
    }
    batch.chars += chars;
    return join(batch, command, call);
  };
}

/** One call's wait: for its answer, its timeout or its signal, whichever is first. */
function join(batch: Batch, command: RedisCommand, { timeoutMs, signal }: WaitLimits): Promise<RestReply> {
  return new Promise((resolve, reject) => {
    const settle = (answer: RestReply | Error) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (answer instanceof Error) reject(answer);
      else resolve(answer);
    };
    const waiter: Waiter = { command, over: false, settle };
    const giveUp = (reason: 'timeout' | 'aborted') => {
      waiter.over = true;
      settle(batch.sent ? unanswered(reason) : unavailable(reason));
      if (--batch.waiting === 0) batch.end.abort();
    };
    const onAbort = () => giveUp('aborted');
    const timer = setTimeout(giveUp, timeoutMs, 'timeout');
    signal?.addEventListener('abort', onAbort, { once: true });
    batch.waiters.push(waiter);
    batch.waiting++;
  });
}

async function sendBatch(request: RestRequester, batch: Batch): Promise<void> {
  const waiters = batch.waiters.filter((waiter) => !waiter.over);
  if (waiters.length === 0) return;
  batch.sent = true;
  const answers = await answersOf(request, waiters, batch.end.signal);
  waiters.forEach((waiter, i) => {
    if (!waiter.over) waiter.settle(answers instanceof Error ? answers : (answers[i] ?? unanswered('endpoint_failed')));
  });
}

/** One answer for each command; or the one error they share. */
async function answersOf(
  request: RestRequester,
  waiters: readonly Waiter[],
  signal: AbortSignal,
): Promise<readonly RestReply[] | Error> {
  try {
    const [only, ...others] = waiters;
    if (only !== undefined && others.length === 0) {
      checkSize(only.command);
      return [(await request({ body: only.command, signal })) as RestReply];
    }
    const answers = await request({ body: waiters.map((waiter) => waiter.command), path: ['pipeline'], signal });
    return Array.isArray(answers) ? answers : unanswered('endpoint_failed');
  } catch (thrown) {
    return restFault(thrown, signal.aborted);
  }
}

function sizeOf(command: RedisCommand): number {
  let chars = 0;
  for (const part of command) chars += typeof part === 'string' ? part.length : 8;
  return chars;
}
