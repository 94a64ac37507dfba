/** Ways in which many writers change one session at once, each a key of its own; and what is there in the end. */
import type { Client } from '../../../../lib/client/client.ts';
import { demand, demandStatus } from '../../claims.ts';
import type { DuelFigures } from './figures.ts';

/** At once. */
export const WRITERS = 24;
/** Each after the one before it was answered. */
const WRITES = 3;

const WHOLE = 'profile';
type Profile = Readonly<Record<string, number>>;

interface Way {
  readonly way: string;
  /** Adds one key, and returns when that was acknowledged. @returns the calls it took. @throws {BrokenClaimError} */
  write(client: Client, id: string, key: string): Promise<number>;
  /** The keys that are there. */
  keysOf(data: Readonly<Record<string, unknown>>): readonly string[];
}

/** As stores of sessions mostly do it: all of it is read, changed and written. Who writes later takes away what came between. */
export const WHOLE_DOCUMENT: Way = {
  way: 'the whole document: read, change, write',
  async write(client, id, key) {
    const { profile } = await readWhole(client, id);
    await writeWhole(client, id, { ...profile, [key]: 1 });
    return 2;
  },
  keysOf: wholeKeys,
};

/** The same, but only over the version that was read. */
export const WITH_IF_MATCH: Way = {
  way: 'the same with If-Match, again after a 409',
  async write(client, id, key) {
    for (let calls = 2; ; calls += 2) {
      const { profile, etag } = await readWhole(client, id);
      if (await writeWhole(client, id, { ...profile, [key]: 1 }, etag)) return calls;
    }
  },
  keysOf: wholeKeys,
};

/** Each writes what is its own. */
export const ONE_KEY: Way = {
  way: 'one data key each',
  async write(client, id, key) {
    demandStatus(await client.putSessionData({ params: { id, key }, body: '1' }), 200, 'Set one data key of a session');
    return 1;
  },
  keysOf: (data) => Object.keys(data).filter((key) => key !== WHOLE),
};

/** Lets the writers write. @throws {BrokenClaimError} a call failed. */
export async function fight(client: Client, { way, write, keysOf }: Way): Promise<DuelFigures> {
  const begun = await client.createSession({ body: { data: { [WHOLE]: {} } } });
  demandStatus(begun, 201, 'Begin a session for many writers');
  const { id } = begun.data;
  const startedAt = performance.now();
  const calls = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeAll(writer)));
  const tookMs = Math.round(performance.now() - startedAt);
  const end = await client.getSession({ params: { id } });
  demandStatus(end, 200, 'Read the session of many writers');
  const there = new Set(keysOf(end.data.data as Readonly<Record<string, unknown>>));
  const written = Array.from({ length: WRITERS * WRITES }, (_, n) => keyOf(Math.floor(n / WRITES), n % WRITES));
  const lost = written.filter((key) => !there.has(key)).length;
  demand(there.size === written.length - lost, 'A session has only the keys its writers wrote');
  const sum = calls.reduce((all, some) => all + some, 0);
  return { way, writers: WRITERS, writes: written.length, lost, calls: sum, took_ms: tookMs };

  async function writeAll(writer: number): Promise<number> {
    let sent = 0;
    for (let n = 0; n < WRITES; n++) sent += await write(client, id, keyOf(writer, n));
    return sent;
  }
}

const keyOf = (writer: number, n: number) => `writer-${writer}.${n}`;

async function readWhole(client: Client, id: string) {
  const reply = await client.getSession({ params: { id } });
  demandStatus(reply, 200, 'Read a session before it is changed');
  return { profile: reply.data.data[WHOLE] as Profile, etag: reply.headers.get('etag') ?? '' };
}

/** @returns false: another version is there. */
async function writeWhole(client: Client, id: string, profile: Profile, etag?: string): Promise<boolean> {
  const headers = etag === undefined ? {} : { 'if-match': etag };
  const reply = await client.putSessionData({ params: { id, key: WHOLE }, headers, body: JSON.stringify(profile) });
  if (etag !== undefined && !reply.ok && reply.problem.code === 'version_conflict') return false;
  demandStatus(reply, 200, 'Write the whole document of a session');
  return true;
}

function wholeKeys(data: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(data[WHOLE] as Profile);
}
