/** What several tenants' hot sessions hold, at one moment, looked at again and again. */
import type { Redis } from 'ioredis';
import type { App } from '../../lib/app.ts';
import { unpackCounters } from '../../lib/gate/counters.ts';
import type { TenantId } from '../../lib/ids.ts';
import { sessionBlobPrefix } from '../../lib/keys.ts';
import { keysOfBench } from './session-fill.ts';

/** Between two looks, ms. */
const EVERY_MS = 10;
const LOOK = `
local counters = {}
for i = 1, #KEYS do counters[i] = redis.call('HGET', KEYS[i], 'm') end
return counters`;

export interface HotWatch {
  /** Bytes of hot sessions, now. */
  look(): Promise<number>;
  /** The most there were since the watch began, and how often it looked. Ends it. */
  stop(): Promise<{ readonly peakBytes: number; readonly looks: number }>;
}

/** @param redis used by nobody else: looks must not wait for what they look at. */
export function watchHot(app: App, redis: Redis, ids: readonly TenantId[]): HotWatch {
  const keys = keysOfBench(app);
  let peakBytes = 0;
  let looks = 0;
  const look = async () => {
    const counters = (await redis.eval(LOOK, ids.length, ...ids.map(keys.gate))) as string[];
    const hotBytes = counters.reduce((sum, text) => sum + unpackCounters(text).hotSessionBytes, 0);
    peakBytes = Math.max(peakBytes, hotBytes);
    looks++;
    return hotBytes;
  };
  let ended = false;
  const watching = (async () => {
    while (!ended) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  return {
    look,
    async stop() {
      ended = true;
      await watching;
      return { peakBytes, looks };
    },
  };
}

/** Sessions counted, and objects in S3 that are of them: not those that wait to be deleted. */
export async function storedSessions(app: App, redis: Redis, id: TenantId) {
  const keys = keysOfBench(app);
  const counters = unpackCounters((await redis.hget(keys.gate(id), 'm')) ?? '');
  const index = keys.index(id, 1);
  const listed = await redis.zlexcount(index, '[k\0s\0', '(k\0s\x01');
  const hot = await redis.zlexcount(index, '[r\0', '(r\x01');
  const doomed = await redis.zlexcount(index, '[d\0', '(d\x01');
  let objects = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await app.blobs.list({ prefix: sessionBlobPrefix(id), cursor });
    objects += page.items.length;
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return { counted: counters.sessions, listed, hot, spilled: counters.spilledSessions, objects: objects - doomed };
}
