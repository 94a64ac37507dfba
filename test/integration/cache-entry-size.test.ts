/** The largest entry is what may be written: what was written before that was lowered is read as ever. */
import { describe, expect, it } from 'vitest';
import type { StoredEntry } from '../../lib/cache/entry.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';

const META = { content_type: 'application/octet-stream' };
const named = (key: string) => ({ namespace: 'ns', key });
/** Of one value in Redis, and one in S3. */
const SIZES = { small: 20_000, large: 600_000 } as const;
const LOWERED = { PERSISTENCE_CACHE_MAX_ENTRY_SIZE_BYTES: '10000', PERSISTENCE_CACHE_INLINE_MAX_BYTES: '10000' };

describe.each(TRANSPORTS)('entries larger than may be written now, over %s [C6 K6]', (transport) => {
  it('are read, alone and together, and stay', async () => {
    const before = await testApp({ transport });
    const { caller } = await newTenant(before);
    const values = Object.entries(SIZES).map(([key, bytes]) => [key, Buffer.alloc(bytes, key)] as const);
    for (const [key, value] of values) await before.cache.set(caller, named(key), { value, meta: META });
    const app = await testApp({ transport, env: LOWERED });
    for (const [key, value] of values) {
      const entry = (await app.cache.get(caller, named(key))) as StoredEntry | null;
      expect(entry?.value.equals(value), key).toBe(true);
      await expect(app.cache.set(caller, named(key), { value, meta: META })).rejects.toMatchObject({
        code: 'body_too_large',
      });
    }
    expect(await before.cache.head(caller, named('large'))).not.toBeNull();
  });
});
