/** What Redis gave of a tenant, as uses and marks. A RangeError says that it is damaged. */
import { unpackCounters } from '../gate/counters.ts';
import { unpackLimits } from '../gate/gate-fields.ts';
import type { RedisReply } from '../redis/driver.ts';
import { markField, unpackMark } from './alert-format.ts';
import type { Resource } from './resources.ts';
import { type Mark, markName, reached, type Use } from './thresholds.ts';
import { usesOf } from './uses.ts';

type Reply = RedisReply | Error | undefined;

/**
 * The uses that have reached a threshold.
 * @param gate fields `h`, `m` and points of the last minutes.
 * @throws {RangeError}
 */
export function readUses(
  gate: Reply,
  refusals: ReadonlyMap<Resource, number> | undefined,
  nowMs: number,
): readonly Use[] {
  const [header, meter, ...points] = listOf(gate);
  // A tenant that is being erased has no gate; of a deleted one nobody needs to be warned.
  if (typeof header !== 'string' || typeof meter !== 'string') return [];
  const limits = unpackLimits(header);
  if (limits.status === 'deleted') return [];
  const signs = {
    quotas: limits.quotas,
    counters: unpackCounters(meter),
    points: points.flatMap((point) => (typeof point === 'string' ? [unpackCounters(point)] : [])),
    refusals: refusals ?? new Map(),
  };
  return usesOf(signs, nowMs).filter((use) => reached(use) !== null);
}

/** Fields of the marks of some uses. */
export const markFields = (uses: readonly Use[]): readonly string[] => uses.map(markField);

/** Their values, by name. @throws {RangeError} */
export function readMarks(uses: readonly Use[], reply: Reply): ReadonlyMap<string, Mark> {
  const texts = listOf(reply);
  return new Map(
    uses.flatMap((use, i) => {
      const mark = unpackMark(texts[i]);
      return mark === undefined ? [] : [[markName(use), mark] as const];
    }),
  );
}

function listOf(reply: Reply): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply;
  throw new RangeError('Redis gave no list', { cause: reply });
}
