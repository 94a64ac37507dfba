/** The coldest sessions of tenants, page by page, each with what it is charged. */
import type { SpilloverConfig } from '../../../config/config.ts';
import { SessionCorruptError } from '../../../errors.ts';
import type { Keys } from '../../../keys.ts';
import type { RedisDriver, RedisReply } from '../../../redis/driver.ts';
import { parseHotHead } from '../../session-format.ts';
import type { ColdestSessions, FoundSession } from '../coldest-sessions.ts';
import type { PassTenant } from './pass-tenants.ts';
import type { ColdSession } from './spill-policy.ts';

/** A tenant, and those of its sessions that are known and not tried yet. */
export interface ColdSource {
  readonly tenant: PassTenant;
  coldest: readonly ColdSession[];
  /** The last one that was read. */
  after: FoundSession | undefined;
  more: boolean;
}

export const coldSource = (tenant: PassTenant): ColdSource => ({ tenant, coldest: [], after: undefined, more: true });

/** Of a page: a tenant that has to give much is asked often, and none is asked for much in vain. */
const BATCHES_A_PAGE = 5;
/** Tenants whose pages are asked for in one round trip. */
const AT_ONCE = 100;

export type ColdPages = ReturnType<typeof createColdPages>;

export function createColdPages(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<SpilloverConfig, 'batchSize'>;
  readonly coldest: ColdestSessions;
}) {
  const { redis, keys, config, coldest } = deps;

  const readSome = async (sources: readonly ColdSource[], signal?: AbortSignal): Promise<readonly ColdSource[]> => {
    const count = config.batchSize * BATCHES_A_PAGE;
    const commands = sources.map(({ tenant, after }) => coldest.command(tenant, count, after));
    const replies = await redis.sendAll(commands, { kind: 'read', signal });
    const pages = replies.map((reply) => (reply instanceof Error ? [] : coldest.parse(reply)));
    const heads = await redis.sendAll(
      sources.flatMap(({ tenant: { id, generation } }, i) =>
        (pages[i] ?? []).map(({ ulid }) => ['HGET', keys.session(id, generation, ulid), 'h'] as const),
      ),
      { kind: 'read', signal },
    );
    let at = 0;
    for (const [i, source] of sources.entries()) {
      const page = pages[i] ?? [];
      source.coldest = page.map((session) => ({ ...session, bytes: chargeOf(heads[at++] ?? null) }));
      source.after = page.at(-1);
      source.more = page.length === count;
    }
    return sources.filter((_source, i) => replies[i] instanceof Error);
  };

  return {
    /**
     * The next page of each, two round trips for each hundred.
     * @returns those whose index is no index: they have none. @throws as RedisDriver.sendAll.
     */
    async read(sources: readonly ColdSource[], signal?: AbortSignal): Promise<readonly ColdSource[]> {
      const unreadable: ColdSource[] = [];
      for (let at = 0; at < sources.length; at += AT_ONCE)
        unreadable.push(...(await readSome(sources.slice(at, at + AT_ONCE), signal)));
      return unreadable;
    },
  };
}

/** 0: it is no hot session by now, or cannot be read; who claims it will see. */
function chargeOf(head: RedisReply | Error): number {
  if (typeof head !== 'string') return 0;
  try {
    return parseHotHead(head).head.chargedBytes;
  } catch (error) {
    if (!(error instanceof SessionCorruptError)) throw error;
    return 0;
  }
}
