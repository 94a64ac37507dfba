/** Brings sessions back from S3 into Redis: the way back of spiller.ts. Their objects are collected once their stubs are gone. */
import type { Config } from '../../config/config.ts';
import type { Caller } from '../../gate/caller.ts';
import type { TenantContext } from '../../gate/context-format.ts';
import type { Keys } from '../../keys.ts';
import type { Telemetry } from '../../metrics/telemetry.ts';
import { restoreSession } from '../../redis/bindings/spill-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { sessionKeys } from '../session-call.ts';
import { DATA_PREFIX, parseSessionStub, type SessionStub } from '../session-format.ts';
import { MEMORY_FULL, noRoom, type SessionNeed, sessionMemoryFull } from '../session-outcomes.ts';
import { fillOf, sessionSettings } from '../session-settings.ts';
import type { ColdData } from './cold-data.ts';
import type { SessionRoom } from './session-room.ts';

export interface ColdOffer {
  readonly place: TenantPlace;
  readonly context: Pick<TenantContext, 'sessions'>;
  readonly ulid: string;
  readonly stub: string;
}

const RESTORED = 1;
const NO_ROOM = 2;
/** Of no session. */
const NO_SEQ = -1;
const MAX_ROUNDS = 5;

export type Restorer = ReturnType<typeof createRestorer>;

export function createRestorer(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly coldData: Pick<ColdData, 'fetch'>;
  readonly room: Pick<SessionRoom, 'makeFor' | 'make'>;
  readonly telemetry: Pick<Telemetry, 'count'>;
}) {
  const { redis, keys, config, coldData, room, telemetry } = deps;

  /**
   * Puts it back into Redis, if its tenant's hot sessions then fill at most `fillRatio` of the share. One round trip.
   * @param how.token of its claim; empty: none. @param how.startedAt of `performance.now()`.
   */
  const restore = async (
    { id, generation, signal }: TenantPlace,
    ulid: string,
    stub: SessionStub,
    how: {
      readonly data: ReadonlyMap<string, string>;
      readonly token: string;
      readonly fillRatio: number;
      readonly startedAt: number;
    },
  ) => {
    const { session, index, claim, lately } = sessionKeys(keys, id, generation, ulid);
    const answer = await runScript(redis, restoreSession, {
      keys: { gate: keys.gate(id), index, session, claim, lately },
      args: {
        seq: stub.head.seq,
        object: stub.place.objectUlid,
        token: how.token,
        fill: fillOf(how.fillRatio),
        restoreUs: Math.round((performance.now() - how.startedAt) * 1_000),
        fields: [...how.data].flatMap(([key, text]) => [DATA_PREFIX + key, text]),
      },
      kind: 'write',
      signal,
    });
    if (answer.outcome === RESTORED) telemetry.count('riptide_spillover_operations_total');
    return answer;
  };

  /** Gives a claim back: the script does so whatever it finds. Else it ends by itself. */
  const giveUp = ({ id, generation, signal }: TenantPlace, ulid: string, token: string): Promise<unknown> => {
    const { session, index, claim, lately } = sessionKeys(keys, id, generation, ulid);
    return runScript(redis, restoreSession, {
      keys: { gate: keys.gate(id), index, session, claim, lately },
      args: { seq: NO_SEQ, object: '', token, fill: 0, restoreUs: 0, fields: [] },
      kind: 'write',
      signal,
    }).catch(() => null);
  };

  return {
    restore,
    giveUp,

    /**
     * Has the data in Redis, so that it can be changed. @throws as ColdData.fetch.
     * @throws {StorageFullError} `session_memory_full`; `memory_full`: the tenant's own, also without entries to evict.
     */
    async bringBack({
      caller,
      place,
      context,
      ulid,
      stub: text,
    }: ColdOffer & { readonly caller: Caller; readonly context: TenantContext }): Promise<void> {
      const stub = parseSessionStub(text);
      const startedAt = performance.now();
      const found = await coldData.fetch(place, ulid, stub);
      if ('current' in found) return;
      for (let round = 0; ; round++) {
        const { data } = found;
        const { outcome, ...now } = await restore(place, ulid, stub, { data, token: '', fillRatio: 1, startedAt });
        if (outcome !== NO_ROOM) return;
        if (now.shortage !== null) {
          const { used, held, needed, limit } = now.shortage;
          const answer = [MEMORY_FULL, used, held, needed, limit];
          if (round >= MAX_ROUNDS || !(await room.make(caller, context, answer, round))) throw noRoom(answer);
          continue;
        }
        const need = needOf(now);
        if (round >= MAX_ROUNDS || !(await room.makeFor(place, context, need))) throw sessionMemoryFull(need);
      }
    },

    /**
     * Brings it back before anybody asks for it, if it then has room below the tenant's threshold: nothing is moved for it.
     * @param grow asked where it has none: whether the share was raised. @throws as ColdData.fetch.
     * @returns `cold`: there is no room, also none for others of its size; `changed`: it is another by now, or gone.
     */
    async offer(
      { place, context, ulid, stub: text }: ColdOffer,
      grow: (need: SessionNeed) => Promise<boolean>,
    ): Promise<'restored' | 'cold' | 'changed'> {
      const stub = parseSessionStub(text);
      const startedAt = performance.now();
      const found = await coldData.fetch(place, ulid, stub);
      if ('current' in found) return 'changed';
      const { thresholdRatio: fillRatio } = sessionSettings(context, config);
      for (let round = 0; ; round++) {
        const { outcome, shortage, ...now } = await restore(place, ulid, stub, {
          ...found,
          token: '',
          fillRatio,
          startedAt,
        });
        if (outcome !== NO_ROOM) return outcome === RESTORED ? 'restored' : 'changed';
        if (shortage !== null || round > 0 || !(await grow(needOf(now)))) return 'cold';
      }
    },
  };
}

const needOf = (now: {
  readonly hotBytes: number;
  readonly share: number;
  readonly epoch: number;
  readonly needed: number;
}): SessionNeed => ({ hotBytes: now.hotBytes, shareBytes: now.share, epoch: now.epoch, neededBytes: now.needed });
