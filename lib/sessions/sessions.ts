/**
 * Sessions of a tenant's users. Each call is one round trip, through the gate; see there for what every call may throw, besides
 * InvalidRequestError (session-rules.ts). Data is JSON texts by key, given back exactly as they were given.
 */
import type { Config } from '../config/config.ts';
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import type { Gate } from '../gate/gate.ts';
import type { Keys } from '../keys.ts';
import { lazily } from '../lazily.ts';
import type { RedisDriver } from '../redis/driver.ts';
import type { SessionCreator } from './session-creator.ts';
import type { SessionEnder } from './session-ender.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { SessionList } from './session-list.ts';
import type { SessionPrefetch } from './session-prefetch.ts';
import { createSessionReader, type SessionReader } from './session-reader.ts';
import { createSessionValues } from './session-values.ts';
import type { SessionWriter } from './session-writer.ts';
import type { ColdCreation } from './spillover/cold-creation.ts';
import type { ColdReads } from './spillover/cold-reads.ts';
import type { Restorer } from './spillover/restorer.ts';
import type { SessionRoom } from './spillover/session-room.ts';

export interface Sessions
  extends SessionReader,
    SessionCreator,
    SessionWriter,
    SessionKeeper,
    SessionList,
    SessionEnder,
    SessionPrefetch {}

export function createSessions(deps: {
  readonly gate: Gate;
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly config: Pick<Config, 'sessions' | 'spillover'>;
  readonly cipher: TenantCipher;
  readonly cold: Pick<ColdReads, 'read'>;
  readonly restorer: Pick<Restorer, 'bringBack' | 'offer'>;
  readonly coldCreation: ColdCreation;
  readonly room: Pick<SessionRoom, 'make' | 'noteWrite' | 'growToFit'>;
  /** Of the deployment. */
  readonly secret: string;
  /** Unix ms; only in ids. */
  readonly now: () => number;
}): Sessions {
  const parts = { ...deps, values: createSessionValues(deps) };
  const creator = lazily<SessionCreator>({ create: true }, async () =>
    (await import('./session-creator.ts')).createSessionCreator(parts),
  );
  const writer = lazily<SessionWriter>({ update: true }, async () =>
    (await import('./session-writer.ts')).createSessionWriter(parts),
  );
  const keeper = lazily<SessionKeeper>({ touch: true, rotate: true }, async () =>
    (await import('./session-keeper.ts')).createSessionKeeper(parts),
  );
  const list = lazily<SessionList>({ list: true }, async () =>
    (await import('./session-list.ts')).createSessionList(parts),
  );
  const ender = lazily<SessionEnder>({ terminate: true, previewTerminate: true, terminateUser: true }, async () =>
    (await import('./session-ender.ts')).createSessionEnder(parts),
  );
  const prefetch = lazily<SessionPrefetch>({ prefetch: true, prefetchUser: true }, async () => {
    const [{ createSessionPrefetch }, { createPrefetcher }] = await Promise.all([
      import('./session-prefetch.ts'),
      import('./spillover/prefetcher.ts'),
    ]);
    return createSessionPrefetch({ ...parts, prefetcher: createPrefetcher(parts) });
  });
  return { ...createSessionReader(parts), ...creator, ...writer, ...keeper, ...list, ...ender, ...prefetch };
}
