/**
 * Sessions whose object in S3 is gone or damaged. Their stubs stay, marked, and say so each time; they are told of in the log, by
 * an alarm metric, and in a list for operators. One whose object is there again is one as any other.
 */
import { isStoreFull } from '../../errors.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { markSession } from '../../redis/bindings/spill-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { SessionStub } from '../session-format.ts';
import { publicSessionId } from '../session-ids.ts';

/** Newest; more are in the log. */
const MAX_LISTED = 10_000;

export type Quarantine = ReturnType<typeof createQuarantine>;

export function createQuarantine(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly telemetry: Pick<Telemetry, 'count' | 'logger'>;
  /** Unix ms. */
  readonly now: () => number;
}) {
  const { redis, keys, telemetry, now } = deps;

  const mark = ({ id, generation, signal }: TenantPlace, ulid: string, { place }: SessionStub, as: 'q' | '-') =>
    runScript(redis, markSession, {
      keys: { session: keys.session(id, generation, ulid) },
      args: { object: place.objectUlid, mark: as },
      kind: 'write',
      signal,
    }).catch((error: unknown) => {
      // Whoever reads is told all the same, and the next who does tries again.
      if (isStoreFull(error)) return false;
      throw error;
    });

  const list = async (commands: readonly (readonly (string | number)[])[], signal: AbortSignal | undefined) => {
    await redis.sendAll(commands as never, { kind: 'write', signal });
  };

  const member = (id: string, ulid: string) => `${id},${publicSessionId(ulid)}`;

  const unlist = ({ id, signal }: TenantPlace, ulid: string) =>
    list([['ZREM', keys.sessionQuarantine(), member(id, ulid)]], signal);

  return {
    /** Marks the stub, and makes it known until it is marked: the mark comes last, so that one that ended before is told again. */
    async add(place: TenantPlace, ulid: string, stub: SessionStub, why: 'lost' | 'corrupt'): Promise<void> {
      if (stub.place.quarantined) return;
      telemetry.count('riptide_session_quarantined_total');
      const session_id = publicSessionId(ulid);
      telemetry.logger.error('A session in S3 is gone or damaged', { tenant_id: place.id, session_id, why });
      const key = keys.sessionQuarantine();
      await list(
        [
          ['ZADD', key, now(), member(place.id, ulid)],
          ['ZREMRANGEBYRANK', key, 0, -MAX_LISTED - 1],
        ],
        place.signal,
      );
      if (!(await mark(place, ulid, stub, 'q'))) await unlist(place, ulid);
    },

    /** Takes the mark away, last: its object was read, and is good. */
    async lift(place: TenantPlace, ulid: string, stub: SessionStub): Promise<void> {
      await unlist(place, ulid);
      await mark(place, ulid, stub, '-');
    },
  };
}
