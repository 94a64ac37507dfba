import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyTooLargeError } from '../../lib/errors.ts';
import { jsonBytes, surelyFit, wireBytes } from '../../lib/redis/command-size.ts';
import type { RedisCommand } from '../../lib/redis/driver.ts';
import { inTrips } from '../../lib/redis/pipeline.ts';
import { requestBytes } from '../../lib/redis/rest-requester.ts';

const MIB = 1024 * 1024;
const WRITE = { kind: 'write' } as const;
const set = (key: string, mib: number, char = 'x'): RedisCommand => ['SET', key, char.repeat(mib * MIB)];

async function tripsOf(commands: readonly RedisCommand[], maxPipelineSize = 100, bytesOf = requestBytes) {
  const trips: string[][] = [];
  const replies = await inTrips({ enablePipelining: true, maxPipelineSize, bytesOf }, commands, WRITE, async (trip) => {
    trips.push(trip.map((command) => String(command[1])));
    return trip.map((command) => String(command[1]));
  });
  expect(replies).toEqual(commands.map((command) => command[1]));
  return trips;
}

describe('trips of a pipeline [G1]', () => {
  it('end after so many commands, or before 8 MiB', async () => {
    const small = ['a', 'b', 'c'].map((key): RedisCommand => ['GET', key]);
    expect(await tripsOf(small)).toEqual([['a', 'b', 'c']]);
    expect(await tripsOf(small, 2)).toEqual([['a', 'b'], ['c']]);
    expect(await tripsOf([set('a', 3), set('b', 3), set('c', 3), ...small])).toEqual([
      ['a', 'b'],
      ['c', 'a', 'b', 'c'],
    ]);
  });

  it('take what a value is as JSON for its size over REST, and as UTF-8 over TCP', async () => {
    const quotes = [set('a', 3, '"'), set('b', 3, '"')];
    expect(await tripsOf(quotes)).toEqual([['a'], ['b']]);
    expect(await tripsOf(quotes, 100, wireBytes)).toEqual([['a', 'b']]);
  });

  it('are of one command when that alone is larger', async () => {
    expect(await tripsOf([set('a', 1), set('b', 9), set('c', 1)])).toEqual([['a'], ['b'], ['c']]);
  });

  it('are not begun when a command can never be sent', async () => {
    let trips = 0;
    const limits = { enablePipelining: true, maxPipelineSize: 100, bytesOf: requestBytes };
    const call = inTrips(limits, [set('a', 5), set('b', 5), set('c', 11)], WRITE, async (trip) => {
      trips++;
      return trip.map(() => 'OK');
    });
    await expect(call).rejects.toBeInstanceOf(BodyTooLargeError);
    expect(trips).toBe(0);
  });

  it('are never larger than what is said to fit without being measured', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constant('\u0000"\n'.repeat(20)),
      fc.integer(),
    );
    const commands = fc.array(fc.tuple(fc.string(), part, part), { maxLength: 8 });
    fc.assert(
      fc.property(commands, fc.nat(6_000), (list, maxBytes) => {
        if (!surelyFit(list, maxBytes)) return;
        const bytes = [jsonBytes, wireBytes].map((of) => list.reduce((sum, command) => sum + of(command), 0));
        expect(Math.max(...bytes)).toBeLessThanOrEqual(maxBytes);
      }),
    );
  });
});
