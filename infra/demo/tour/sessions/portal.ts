/** One tenant and the sessions of its users: begun, read back and compared. */
import { isDeepStrictEqual } from 'node:util';
import { demand, demandRefusal, demandStatus } from '../../claims.ts';
import { type Bounds, eachConcurrently } from '../../each-concurrently.ts';
import type { Stopwatch } from '../../stopwatch.ts';
import type { DemoTenant } from '../../tenant.ts';
import { sampleSession, type Text, userOf } from './texts.ts';

/** What is left behind by accident goes by itself. */
const TTL_SECONDS = 3_600;
/** A call that waits for others to be moved to S3 takes its time. */
const TIMEOUT_MS = 30_000;

export interface Portal {
  readonly tenant: DemoTenant;
  readonly count: number;
  /** The numbers of a user's sessions. */
  numbersOf(userId: string): readonly number[];
  /** Of session `n`. @throws {BrokenClaimError} it was not begun. */
  idOf(n: number): string;
  /** Begins each. @throws {BrokenClaimError} */
  createAll(bounds: Bounds): Promise<void>;
  /** Reads each and compares all it holds. @throws {BrokenClaimError} */
  readAll(bounds: Bounds): Promise<void>;
  /** The same for one, timed under another name. @throws {BrokenClaimError} */
  read(n: number, operation: string): Promise<void>;
  /** @throws {BrokenClaimError} session `n` is there. */
  expectGone(n: number): Promise<void>;
}

export interface PortalDeps {
  readonly tenant: DemoTenant;
  readonly texts: readonly Text[];
  readonly count: number;
  /** Among whom the sessions are dealt out. */
  readonly users: number;
  readonly stopwatch: Stopwatch;
  readonly onSession: (tenant: string, pass: 'beginning' | 'reading') => void;
}

export function createPortal({ tenant, texts, count, users, stopwatch, onSession }: PortalDeps): Portal {
  const { client, name } = tenant;
  const ids: string[] = [];
  const all = Array.from({ length: count }, (_, n) => n);
  const sampleOf = (n: number) => sampleSession(texts, n, users);
  const say = (n: number) => `Tenant ${name}, session ${n}`;
  const idOf = (n: number) => {
    const id = ids[n];
    demand(id !== undefined, `${say(n)} was not begun`);
    return id;
  };

  const create = async (n: number) => {
    const { userId, data } = sampleOf(n);
    const body = { user_id: userId, ttl_seconds: TTL_SECONDS, data };
    // No key for repeats: each would be kept with its answer.
    const call = { body, idempotencyKey: null, timeoutMs: TIMEOUT_MS };
    const reply = await stopwatch.time('begin', () => client.createSession(call));
    demandStatus(reply, 201, `${say(n)}, begun`);
    ids[n] = reply.data.id;
  };

  const read = async (n: number, operation: string) => {
    const { userId, data } = sampleOf(n);
    const call = { params: { id: idOf(n) }, timeoutMs: TIMEOUT_MS };
    const reply = await stopwatch.time(operation, () => client.getSession(call));
    demandStatus(reply, 200, `${say(n)}, read back`);
    const { version, user_id } = reply.data;
    demand(isDeepStrictEqual(reply.data.data, data), `${say(n)}: what came back differs from what was stored`);
    demand(version === 1 && user_id === userId, `${say(n)} is version ${version} of ${user_id}, not 1 of ${userId}`);
  };

  return {
    tenant,
    count,
    numbersOf: (userId) => all.filter((n) => userOf(n, users) === userId),
    idOf,
    read,
    createAll: (bounds) =>
      eachConcurrently(all, bounds, async (n) => {
        await create(n);
        onSession(name, 'beginning');
      }),
    readAll: (bounds) =>
      eachConcurrently(all, bounds, async (n) => {
        await read(n, 'read');
        onSession(name, 'reading');
      }),
    async expectGone(n) {
      const reply = await client.getSession({ params: { id: idOf(n) } });
      demandRefusal(reply, { status: 404, code: 'session_not_found' }, `${say(n)}, after it was signed out`);
    },
  };
}
