/** At the limit of their memory sessions are made in S3; only when that does not go, either, they are refused. */

import { describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { newTenant, TRANSPORTS, testApp } from '../support/app.ts';
import { auditSessions } from '../support/session-audit.ts';
import { texts } from '../support/spill-tools.ts';
import { keysOf } from '../support/tenant-state.ts';

/** Nothing of the memory is left for anybody else. */
const fillPool = (app: App) => {
  const max = app.config.spillover.maxMemoryBytes;
  const others = { 'tenant-00000000000000000000000000': `${max},1`, total: max };
  return app.redis.send(['HSET', keysOf(app).sessionBudget(), ...Object.entries(others).flat()], { kind: 'write' });
};

describe.each(TRANSPORTS)('sessions made where there is no memory over %s [P2 P3]', (transport) => {
  const env = { PERSISTENCE_CACHE_KEY_PREFIX: `cold-${transport}`, PERSISTENCE_SPILLOVER_MAX_MEMORY_BYTES: '1048576' };

  it('are in S3 from the beginning, and as any other', async () => {
    const app = await testApp({ transport, env });
    await fillPool(app);
    for (const encryption of [false, true]) {
      const { caller } = await newTenant(app, { encryption });
      const data = texts({ cart: [1, 2, 3], name: 'Ünï', empty: '' });
      const made = await app.sessions.create(caller, { userId: 'ada', metadata: { source: 'web' }, data });
      expect(made).toMatchObject({ tier: 'cold', version: 1, userId: 'ada', metadata: { source: 'web' } });
      expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 1, spilled: 1, hotBytes: 0 });
      const read = await app.sessions.get(caller, made.id);
      expect(read?.data).toEqual(data);
      expect(read).toMatchObject({ metadata: { source: 'web' }, dataBytes: made.dataBytes });
      expect(await app.sessions.rotate(caller, made.id)).toMatchObject({ version: 2 });
      expect(await app.sessions.terminateUser(caller, 'ada')).toMatchObject({ terminated: 1 });
      expect(await auditSessions(app, caller.tenantId)).toMatchObject({ sessions: 0, spilled: 0 });
    }
  });

  it('are refused when S3 does not answer, and nothing is left of them', async () => {
    const app = await testApp({ transport, env: { ...env, PERSISTENCE_BLOBS_ENDPOINT: 'http://127.0.0.1:9' } });
    await fillPool(app);
    const { caller } = await newTenant(app);
    await expect(app.sessions.create(caller, { data: texts({ a: 1 }) })).rejects.toMatchObject({
      code: 'session_memory_full',
      status: 507,
      retryAfterMs: 30_000,
    });
  });

  it('are refused when their storage is full', async () => {
    const app = await testApp({ transport, env });
    await fillPool(app);
    const { caller } = await newTenant(app, { quotas: { storage_bytes: 10, operations_per_minute: 100_000 } });
    await expect(app.sessions.create(caller, { data: texts({ a: 1 }) })).rejects.toMatchObject({
      code: 'storage_full',
    });
  });
});
