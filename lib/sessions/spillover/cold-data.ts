/** The data of sessions that are in S3: read once, however many ask at once, and believed only if it is what the stub names. */
import { CorruptValueError, SessionCorruptError, SessionLostError } from '../../errors.ts';
import type { Keys } from '../../keys.ts';
import { peekSessions } from '../../redis/bindings/session-read-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { DATA_PREFIX, parseSessionStub, type SessionStub } from '../session-format.ts';
import type { Quarantine } from './quarantine.ts';
import type { SessionBlobs } from './session-blobs.ts';
import { decodeSessionObject, MAX_SESSION_RAW_BYTES } from './session-object.ts';

/** The stub of a cold one, the fields of a hot one; null: there is none. */
export type StoredSession = string | readonly string[] | null;

/** `data` as stored, by key; or `current`, what there is now: it was moved or changed meanwhile. */
export type ColdFetch = { readonly data: ReadonlyMap<string, string> } | { readonly current: StoredSession };

export type ColdData = ReturnType<typeof createColdData>;

export function createColdData(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly sessionBlobs: Pick<SessionBlobs, 'read'>;
  readonly quarantine: Quarantine;
}) {
  const { redis, keys, sessionBlobs, quarantine } = deps;
  /** Reads under way, by object. */
  const flights = new Map<string, Promise<ReadonlyMap<string, string>>>();

  const peek = async ({ id, generation, signal }: TenantPlace, ulid: string): Promise<StoredSession> => {
    const [stored = null] = await runScript(redis, peekSessions, {
      keys: { sessions: [keys.session(id, generation, ulid)] },
      args: { what: 'all' },
      kind: 'read',
      signal,
    });
    return stored;
  };

  /** The data as it is stored. */
  const load = async ({ id, signal }: TenantPlace, { place }: SessionStub): Promise<ReadonlyMap<string, string>> => {
    const bytes = await sessionBlobs.read(id, place, signal);
    const { sessionUlid, version, seq, bytes: length, rawBytes, sha256 } = place;
    const expected = { tenantId: id, sessionUlid, version, seq, bytes: length, rawBytes, sha256 };
    const fields = await decodeSessionObject(bytes, { ...expected, maxRawBytes: MAX_SESSION_RAW_BYTES });
    return new Map([...fields].map(([name, text]) => [name.slice(DATA_PREFIX.length), text]));
  };

  const loadOnce = (place: TenantPlace, stub: SessionStub): Promise<ReadonlyMap<string, string>> => {
    const name = flightOf(place, stub);
    const under = flights.get(name);
    if (under !== undefined) return under;
    // Shared by several: one caller's deadline does not end it for the others.
    const flight = load({ ...place, signal: undefined }, stub).finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  };

  return {
    /** As it is stored now. One round trip. */
    peek,

    /** Whether its object is being read for somebody. */
    isUnderWay: (place: TenantPlace, stub: SessionStub): boolean => flights.has(flightOf(place, stub)),

    /**
     * Makes a lost or damaged one known, and takes one that is whole again out of quarantine.
     * @throws {SessionLostError | SessionCorruptError} its object is gone or damaged. @throws {BlobUnavailableError} nobody knows.
     */
    async fetch(place: TenantPlace, ulid: string, stub: SessionStub): Promise<ColdFetch> {
      try {
        const data = await loadOnce(place, stub);
        if (stub.place.quarantined) await quarantine.lift(place, ulid, stub);
        return { data };
      } catch (error) {
        if (!(error instanceof SessionLostError || error instanceof CorruptValueError)) throw error;
        const current = await peek(place, ulid);
        if (typeof current !== 'string' || parseSessionStub(current).place.objectUlid !== stub.place.objectUlid)
          return { current };
        await quarantine.add(place, ulid, stub, error instanceof SessionLostError ? 'lost' : 'corrupt');
        if (error instanceof SessionLostError) throw error;
        throw new SessionCorruptError('The session was moved to S3, and is damaged there', { cause: error });
      }
    },
  };
}

const flightOf = ({ id }: TenantPlace, { place }: SessionStub): string => `${id}/${place.objectUlid}`;
