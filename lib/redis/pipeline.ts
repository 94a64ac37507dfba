/** How a list of commands becomes round trips: `redis.enablePipelining` and `redis.maxPipelineSize`. */
import { OutcomeUnknownError, RedisUnavailableError } from '../errors.ts';
import type { RedisCommand, RedisReply, SendOptions } from './driver.ts';
import { unanswered } from './transport-errors.ts';

export type SlotReply = RedisReply | Error;

export interface PipelineLimits {
  readonly enablePipelining: boolean;
  readonly maxPipelineSize: number;
}

/**
 * Sends the commands in trips of at most `maxPipelineSize`, one after the other so that their order holds.
 * @throws as `trip`; but after an earlier trip of writes went through, "nothing was changed" would be untrue, so it is
 * OutcomeUnknownError then.
 */
export async function inTrips(
  limits: PipelineLimits,
  commands: readonly RedisCommand[],
  options: SendOptions,
  trip: (commands: readonly RedisCommand[]) => Promise<readonly SlotReply[]>,
): Promise<readonly SlotReply[]> {
  const size = limits.enablePipelining ? Math.max(1, limits.maxPipelineSize) : 1;
  if (commands.length <= size) return commands.length === 0 ? [] : trip(commands);
  const replies: SlotReply[] = [];
  for (let from = 0; from < commands.length; from += size) {
    try {
      replies.push(...(await trip(commands.slice(from, from + size))));
    } catch (error) {
      throw from > 0 && options.kind === 'write' ? partlyDone(error) : error;
    }
  }
  return replies;
}

function partlyDone(error: unknown): unknown {
  const failed = error instanceof RedisUnavailableError || error instanceof OutcomeUnknownError;
  return failed ? unanswered('connection_lost', 'an earlier part of the pipeline was applied') : error;
}
