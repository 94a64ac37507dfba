/** How a list of commands becomes round trips: `redis.enablePipelining`, `redis.maxPipelineSize`, and their bytes. */
import { OutcomeUnknownError, RedisUnavailableError } from '../errors.ts';
import { surelyFit } from './command-size.ts';
import type { RedisCommand, RedisReply, SendOptions } from './driver.ts';
import { unanswered } from './transport-errors.ts';

export type SlotReply = RedisReply | Error;

export interface PipelineLimits {
  readonly enablePipelining: boolean;
  readonly maxPipelineSize: number;
}

/** What a transport says of its trips. */
export interface TripLimits extends PipelineLimits {
  /** Bytes of one command on the wire. Called for all before the first is sent. @throws when it can never be sent. */
  readonly bytesOf: (command: RedisCommand) => number;
}

/**
 * Bytes of commands in one trip, unless one alone takes more. Upstash refuses a request above 10 MB
 * (upstash.com/docs/redis/troubleshooting/max_request_size_exceeded), and over TCP others wait for a write this long; yet
 * 4 MiB of values go in one, as base64 and with what stands around them.
 */
const MAX_TRIP_BYTES = 8 * 1024 * 1024;

/**
 * Sends the commands in trips of at most `maxPipelineSize` and 8 MiB, one after the other so that their order holds.
 * @throws what `bytesOf` throws: nothing was sent then. @throws as `trip`; but after an earlier trip of writes went through, "nothing was changed" would be untrue, so it is
 * OutcomeUnknownError then.
 */
export async function inTrips(
  limits: TripLimits,
  commands: readonly RedisCommand[],
  options: SendOptions,
  trip: (commands: readonly RedisCommand[]) => Promise<readonly SlotReply[]>,
): Promise<readonly SlotReply[]> {
  const trips = planTrips(limits, commands);
  const [only] = trips;
  if (trips.length <= 1) return only === undefined ? [] : trip(only);
  const replies: SlotReply[] = [];
  for (const part of trips) {
    try {
      replies.push(...(await trip(part)));
    } catch (error) {
      throw replies.length > 0 && options.kind === 'write' ? partlyDone(error) : error;
    }
  }
  return replies;
}

function planTrips(limits: TripLimits, commands: readonly RedisCommand[]): readonly (readonly RedisCommand[])[] {
  const maxCommands = limits.enablePipelining ? Math.max(1, limits.maxPipelineSize) : 1;
  const isSmall = surelyFit(commands, MAX_TRIP_BYTES);
  if (isSmall && commands.length <= maxCommands) return commands.length === 0 ? [] : [commands];
  const trips: RedisCommand[][] = [];
  let bytes = 0;
  for (const command of commands) {
    const own = isSmall ? 0 : limits.bytesOf(command);
    const trip = trips.at(-1);
    if (trip === undefined || trip.length === maxCommands || bytes + own > MAX_TRIP_BYTES) {
      trips.push([command]);
      bytes = own;
    } else {
      trip.push(command);
      bytes += own;
    }
  }
  return trips;
}

function partlyDone(error: unknown): unknown {
  const failed = error instanceof RedisUnavailableError || error instanceof OutcomeUnknownError;
  return failed ? unanswered('connection_lost', 'an earlier part of the pipeline was applied') : error;
}
