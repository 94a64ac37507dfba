/** An API key is replaced while it is in use: both work for the overlap, then only the new one; revoked, none. */
import { setTimeout as delay } from 'node:timers/promises';
import { demand, demandRefusal, demandStatus } from '../claims.ts';
import { createTenantClient } from '../tenant.ts';
import { type Act, AMPLE_OPERATIONS } from './stage.ts';

const OVERLAP_SECONDS = 2;

export const proveKeyRotation: Act = {
  title: 'Key rotation',
  async run({ service, cast, signal }) {
    const tenant = await cast.create({ name: 'careful', plan: 'starter', quotas: AMPLE_OPERATIONS });
    const params = { id: tenant.id, key_id: tenant.keyId };
    const sentAt = performance.now();
    const rotated = await cast.admin.rotateKey({ params, body: { overlap_seconds: OVERLAP_SECONDS } });
    demandStatus(rotated, 201, 'Replace an API key');
    const answeredAt = performance.now();
    const renewed = createTenantClient(service.url, rotated.data.key);
    demandStatus(await renewed.whoAmI(), 200, 'The new key');
    const within = await tenant.client.whoAmI();
    // Answered later than that, it may have been refused with right.
    if (performance.now() - sentAt < OVERLAP_SECONDS * 1_000)
      demandStatus(within, 200, 'The old key, within the overlap');
    await delay(Math.max(0, answeredAt + OVERLAP_SECONDS * 1_000 - performance.now()), undefined, { signal });
    const expired = { status: 401, code: 'key_expired' };
    demandRefusal(await tenant.client.whoAmI(), expired, `The old key, after the overlap of ${OVERLAP_SECONDS} s`);
    demandStatus(await renewed.whoAmI(), 200, 'The new key, after the overlap');

    const revoke = await cast.admin.revokeKey({ params: { id: tenant.id, key_id: rotated.data.id } });
    demandStatus(revoke, 204, 'Revoke the new key');
    demandRefusal(await renewed.whoAmI(), { status: 401, code: 'key_revoked' }, 'The key after it was revoked');
    const listed = await cast.admin.listKeys({ params: { id: tenant.id } });
    demandStatus(listed, 200, 'List the keys');
    const states = listed.data.items.map(({ state }) => state).join(', ');
    demand(states === 'expired, revoked', `The keys are ${states}, not expired, revoked`);
    return {
      shown: [
        `An API key is replaced: both work for ${OVERLAP_SECONDS} s, then the old one gets 401; revoked, the new one does on its next call`,
      ],
    };
  },
};
