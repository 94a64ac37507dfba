/** What a program without Riptide would do to keep a Redis in S3: one loop, as good as it can be made. */
import { Buffer } from 'node:buffer';
import type { Redis } from 'ioredis';
import lz4 from 'lz4-napi';
import type { RawObjects } from './session-moves.ts';

const COUNT = 1_000;
/** As the service's frames. */
const FRAME_BYTES = 4 * 1024 * 1024;
/** Frames that are packed or written at one time. */
const AT_ONCE = 4;
const LENGTH_BYTES = 4;

/** Reads what is under these keys; lists of as many values. */
export type ReadPage = (keys: readonly string[]) => Promise<readonly (Buffer | null)[]>;

export const readByMget =
  (redis: Redis): ReadPage =>
  (keys) =>
    redis.mgetBuffer(...keys);

/** Any kind of record with its time to live, as one of `RESTORE` needs. */
export const readByDump =
  (redis: Redis): ReadPage =>
  async (keys) => {
    const pipeline = redis.pipeline();
    for (const key of keys) pipeline.dumpBuffer(key).pttl(key);
    const replies = (await pipeline.exec()) ?? [];
    return keys.map((_, i) => replies[2 * i]?.[1] as Buffer | null);
  };

/** Another page is asked for while one is packed; frames are packed by threads and written while the next is filled. */
export async function bareCheckpoint(
  redis: Redis,
  { pattern, prefix, read, objects }: { pattern: string; prefix: string; read: ReadPage; objects: RawObjects },
): Promise<{ readonly records: number; readonly frames: number }> {
  const under = new Set<Promise<void>>();
  let [records, frames, at] = [0, 0, 0];
  let frame = Buffer.allocUnsafeSlow(FRAME_BYTES);

  const flush = async () => {
    const raw = frame.subarray(0, at);
    const name = `${prefix}${String(frames++).padStart(6, '0')}`;
    const written = lz4.compress(raw).then(async (packed) => void (await objects.put(name, packed)));
    const ended = written.finally(() => under.delete(ended));
    under.add(ended);
    frame = Buffer.allocUnsafeSlow(FRAME_BYTES);
    at = 0;
    if (under.size >= AT_ONCE) await Promise.race(under);
  };

  const add = async (key: Buffer, value: Buffer) => {
    const bytes = 2 * LENGTH_BYTES + key.length + value.length;
    if (at + bytes > FRAME_BYTES) await flush();
    for (const part of [key, value]) {
      at = frame.writeUInt32LE(part.length, at);
      at += part.copy(frame, at);
    }
    records++;
  };

  const keep = async (keys: readonly string[], values: readonly (Buffer | null)[]) => {
    for (const [i, value] of values.entries()) if (value !== null) await add(Buffer.from(keys[i] as string), value);
  };

  const scan = (cursor: string) => redis.scan(cursor, 'MATCH', pattern, 'COUNT', COUNT);
  let before: Promise<void> = Promise.resolve();
  for (let page: ReturnType<typeof scan> | null = scan('0'); page !== null; ) {
    const [next, keys]: readonly [string, readonly string[]] = await page;
    page = next === '0' ? null : scan(next);
    const values = keys.length === 0 ? [] : await read(keys);
    await before;
    before = keep(keys, values);
  }
  await before;
  if (at > 0) await flush();
  await Promise.all(under);
  return { records, frames };
}
