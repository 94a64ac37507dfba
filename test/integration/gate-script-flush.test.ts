/** Redis may forget its scripts at any moment: nobody sees it. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { gateState } from '../support/gate-state.ts';
import { ownRedis } from '../support/redis-own.ts';

const CALLERS = 64;
const FLUSHES = 25;
const FLUSH_EVERY_MS = 4;
const TOKEN = 'flush-test-token';

it.each(TRANSPORTS)(
  'no caller over %s sees SCRIPT FLUSH under load, and each call counts once [T4 T6]',
  async (transport) => {
    const redis = await ownRedis();
    const endpoint = await startUpstashEndpoint({ redisUrl: redis.url, token: TOKEN });
    onTestFinished(() => endpoint.stop());
    const app = await testApp({
      transport,
      env:
        transport === 'tcp'
          ? { REDIS_URL: redis.url }
          : { UPSTASH_REDIS_REST_URL: endpoint.url, UPSTASH_REDIS_REST_TOKEN: TOKEN },
    });
    const { caller, tenant } = await newTenant(app, { quotas: { operations_per_minute: 60_000_000 } });
    let flushes = 0;
    const flush = async () => {
      for (; flushes < FLUSHES; flushes++) {
        await app.redis.send(['SCRIPT', 'FLUSH'], { kind: 'write' });
        await wait(FLUSH_EVERY_MS);
      }
    };
    const call = async (i: number) => {
      let calls = 0;
      for (; flushes < FLUSHES; calls += 2) {
        const name = { namespace: 'ns', key: `k${i}` };
        const value = Buffer.from(`${i}:${calls}`);
        await app.cache.set(caller, name, { value, meta: { content_type: 'text/plain' }, ttlMs: 60_000 });
        expect(await app.cache.get(caller, name)).toMatchObject({ value });
      }
      return calls;
    };
    const [counts] = await Promise.all([Promise.all(Array.from({ length: CALLERS }, (_, i) => call(i))), flush()]);
    const ops = counts.reduce((sum, calls) => sum + calls, 0);
    expect(ops).toBeGreaterThan(FLUSHES);
    expect(await gateState(app, tenant.id).meter()).toMatchObject({ ops: BigInt(ops), entries: BigInt(CALLERS) });
  },
);
