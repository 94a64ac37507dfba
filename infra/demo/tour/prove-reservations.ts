/** Work of unknown size: part of a quota is held before it, and settled after it, exactly. */
import { demand, demandRefusal, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';
import { readQuotaHit } from './quota-hit.ts';
import { type Act, AMPLE_OPERATIONS } from './stage.ts';

const MB = 1_000_000;
const LIMIT = 10 * MB;
const RACERS = 10;

export const proveReservations: Act = {
  title: 'Reservations',
  async run({ cast }) {
    const quotas = { ...AMPLE_OPERATIONS, storage_bytes: LIMIT };
    const tenant = await cast.create({ name: 'builder', plan: 'professional', quotas });
    const hold = await reserve(tenant, 6 * MB);
    demandStatus(hold, 201, 'Reserve 6 of 10 MB');
    const second = await reserve(tenant, 6 * MB);
    demandRefusal(second, { status: 507, code: 'storage_full' }, 'Reserve 6 MB more');
    await expectStorage(tenant, { used: 0, held: 6 * MB });
    const params = { id: hold.data.id };
    const body = { amount: 2.5 * MB };
    demandStatus(await tenant.client.commitReservation({ params, body }), 200, 'Commit 2.5 of the 6 MB');
    await expectStorage(tenant, { used: 2.5 * MB, held: 0 });
    const again = await tenant.client.refundReservation({ params });
    demandRefusal(again, { status: 404, code: 'reservation_not_found' }, 'A reservation that was committed, refunded');
    await refundOne(tenant);
    const granted = await race(tenant);
    return {
      shown: [
        'Of 10 MB, 6 are reserved, 6 more are refused, 2.5 are committed and the rest is given back; a refund gives back all',
        `${RACERS} callers at once ask for 2 MB each where 7.5 are left: ${granted} get them, and nobody else`,
      ],
      quotasMet: [readQuotaHit(second)],
    };
  },
};

const reserve = ({ client }: DemoTenant, amount: number) =>
  client.reserveQuota({ body: { resource: 'storage_bytes', amount, ttl_seconds: 60 } });

async function refundOne(tenant: DemoTenant): Promise<void> {
  const hold = await reserve(tenant, MB);
  demandStatus(hold, 201, 'Reserve 1 MB');
  const refund = await tenant.client.refundReservation({ params: { id: hold.data.id } });
  demandStatus(refund, 200, 'Give it back');
  await expectStorage(tenant, { used: 2.5 * MB, held: 0 });
}

/** @returns how many got what they asked for: as many as fit. */
async function race(tenant: DemoTenant): Promise<number> {
  const replies = await Promise.all(Array.from({ length: RACERS }, () => reserve(tenant, 2 * MB)));
  const granted = replies.filter(({ ok }) => ok).length;
  const fit = Math.floor((LIMIT - 2.5 * MB) / (2 * MB));
  demand(granted === fit, `${granted} of ${RACERS} reservations were granted at once, and ${fit} fit`);
  await expectStorage(tenant, { used: 2.5 * MB, held: fit * 2 * MB });
  return granted;
}

async function expectStorage({ client }: DemoTenant, expected: { readonly used: number; readonly held: number }) {
  const reply = await client.getQuotas();
  demandStatus(reply, 200, 'The quotas of a tenant with reservations');
  const { used, held, left, limit } = reply.data.quotas.storage_bytes;
  const text = `Storage: ${used} used, ${held} held, ${left} left; it must be ${expected.used} and ${expected.held} of ${LIMIT}`;
  demand(used === expected.used && held === expected.held && left === limit - used - held, text);
}
