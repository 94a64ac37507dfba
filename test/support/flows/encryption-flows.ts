/** Flows of data keys and of erasing a tenant, and the calls each makes. */
import { expect } from 'vitest';
import { keyRefs } from '../../../lib/crypto/tenant-keys.ts';
import { OutcomeUnknownError } from '../../../lib/errors.ts';
import { unpackContextData } from '../../../lib/gate/context-format.ts';
import { newUlid } from '../../../lib/ids.ts';
import { tenantKeysBlob } from '../../../lib/keys.ts';
import { newTenant } from '../app.ts';
import { gateState } from '../gate-state.ts';
import { counting, jobsOn } from '../job-service.ts';
import { firstNeed, sessionBudgetOn } from '../session-memory.ts';
import { keysOf } from '../tenant-state.ts';
import type { Flow } from './flow.ts';

const entry = { namespace: 'ns', key: 'k' };
const value = { value: Buffer.from('v'), meta: { content_type: 'text/plain' }, ttlMs: null };

const rotateDataKey: Flow = {
  name: 'rotate data key',
  calls: [
    'read-tenant',
    'blobs get',
    'keys unwrap',
    'keys wrap',
    'keys generate',
    'blobs put',
    'change-tenant',
    'publish-change',
    'ack-audit',
  ],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct, { encryption: true });
    await direct.cache.set(caller, entry, value);
    const ulid = newUlid(Date.now());
    return {
      run: (signal) => app.keyRotation.rotate(tenant.id, { signal, ulid }),
      async verify() {
        const { keys, data_key } = unpackContextData(await gateState(direct, tenant.id).read('x'));
        const blob = JSON.parse(`${(await direct.blobs.get(tenantKeysBlob(tenant.id)))?.body}`);
        expect({ keys: keyRefs(blob), data_key: blob.data_key }).toEqual({ keys, data_key });
        expect(data_key).toBe(keys.length);
        expect(await direct.cache.get(caller, entry)).toMatchObject({ value: value.value });
      },
    };
  },
};

const eraseTenant: Flow = {
  name: 'erase tenant',
  calls: [
    'TIME',
    'ZRANGE',
    'read-tenants',
    'GET',
    'read-tenant',
    'change-tenant',
    'publish-change',
    'ack-audit',
    'blobs put',
    'read-billing',
    'close-period',
    'blobs head',
    'blobs delete',
    'blobs head',
    'ZRANGE',
    'remove-job',
    'ZLEXCOUNT',
    'ZRANGE',
    'ZRANGE',
    'UNLINK',
    'ZRANGE',
    'UNLINK',
    'EXISTS',
    'ZRANGE',
    'UNLINK',
    'release-session-memory',
    'HEXISTS',
    'ZRANGE',
    'blobs list',
    'blobs delete',
    'blobs list',
    'blobs list',
    'blobs delete',
    'blobs list',
    'blobs list',
    'blobs delete',
    'blobs list',
    'blobs list',
    'blobs delete',
    'blobs list',
    'blobs list',
    'blobs delete',
    'blobs list',
    'HKEYS',
    'blobs put',
    'finish-erasure',
    'append-audit',
    'unlist-tenant',
    'GET',
    'blobs list',
    'find-revived',
    'SET',
  ],
  async prepare(app, direct) {
    const { tenant, caller } = await newTenant(direct, { encryption: true });
    await direct.cache.set(caller, entry, value);
    await jobsOn(direct).start(counting(1, { tenantId: caller.tenantId }));
    await sessionBudgetOn(direct).grow(caller.tenantId, firstNeed(1_000));
    await direct.tenantAdmin.remove(tenant.id, { undoMs: 0 });
    return {
      async run(signal) {
        const { failed } = await app.erasure.eraseDue(signal);
        if (failed > 0) throw new OutcomeUnknownError('It is to be run again');
      },
      async verify() {
        expect((await direct.erasure.get(tenant.id)).state).toBe('erased');
        expect(await direct.redis.send(['EXISTS', keysOf(direct).gate(tenant.id)], { kind: 'read' })).toBe(0);
        expect(await direct.tenants.listIds({ limit: 100 })).toEqual([]);
        expect(await sessionBudgetOn(direct).totalGranted()).toBe(0);
      },
    };
  },
};

export const encryptionFlows: readonly Flow[] = [rotateDataKey, eraseTenant];
