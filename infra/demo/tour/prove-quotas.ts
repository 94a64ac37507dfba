/** Tenants that fill up their memory and their minute: refused, told how much of how much, and not charged. */
import { randomBytes } from 'node:crypto';
import type { Failure } from '../../../lib/client/call.ts';
import { demand, demandRefusal, demandStatus } from '../claims.ts';
import type { DemoTenant } from '../tenant.ts';
import { readQuotaHit } from './quota-hit.ts';
import type { Act, QuotaHit, Stage } from './stage.ts';

const MEMORY_BYTES = 20_000;
/** Random: it cannot be packed, so the second or third one does not fit. */
const VALUE_BYTES = 8_000;
const OPERATIONS_PER_MINUTE = 12;

export const proveQuotas: Act = {
  title: 'Quotas that are full',
  async run(stage) {
    const memory = await fillMemory(stage);
    const minute = await fillMinute(stage);
    return {
      shown: [
        `A tenant of plan free with ${MEMORY_BYTES} bytes of memory that evicts nothing: what does not fit gets 507, changes nothing, and fits after a removal`,
        `A tenant with ${OPERATIONS_PER_MINUTE} operations a minute: the next one gets 429 with used, limit and the time until it begins anew`,
      ],
      quotasMet: [memory, minute],
    };
  },
};

/** @throws {BrokenClaimError} */
async function fillMemory({ cast }: Stage): Promise<QuotaHit> {
  // The other policy would make room by its coldest values.
  const settings = { quotas: { memory_bytes: MEMORY_BYTES }, cache: { eviction_policy: 'none' as const } };
  const tenant = await cast.create({ name: 'small', plan: 'free', ...settings });
  const value = randomBytes(VALUE_BYTES);
  const put = (n: number) =>
    tenant.client.putEntry({
      params: { namespace: 'tour', key: `value-${n}` },
      query: { ttl_seconds: 3_600 },
      body: value,
    });
  let stored = 0;
  let reply = await put(stored);
  while (reply.ok && stored < MEMORY_BYTES / VALUE_BYTES) reply = await put(++stored);
  demandRefusal(reply, { status: 507, code: 'memory_full' }, `Value ${stored + 1} of ${VALUE_BYTES} bytes`);
  const hit = readQuotaHit(reply);
  demand(hit.limit === MEMORY_BYTES && hit.used <= hit.limit, `Memory: ${hit.used} of ${hit.limit} bytes used`);
  const { used, left } = await memoryOf(tenant);
  demand(used === hit.used && left === hit.limit - used, `Refused, and yet ${used} bytes are used, not ${hit.used}`);
  const removed = await tenant.client.deleteEntry({ params: { namespace: 'tour', key: 'value-0' } });
  demandStatus(removed, 204, 'Removing a value from a full memory');
  demandStatus(await put(stored), 201, 'The same value, after another was removed');
  return hit;
}

async function memoryOf({ client }: DemoTenant) {
  const reply = await client.getQuotas();
  demandStatus(reply, 200, 'The quotas of a tenant with a full memory');
  return reply.data.quotas.memory_bytes;
}

/** @throws {BrokenClaimError} */
async function fillMinute({ cast }: Stage): Promise<QuotaHit> {
  const quotas = { operations_per_minute: OPERATIONS_PER_MINUTE };
  // A wide burst: else that would refuse first.
  const tenant = await cast.create({ name: 'hasty', plan: 'free', quotas, rate_limit: { burst: 1_000 } });
  const refusal = await callUntilRefused(tenant);
  demandRefusal(refusal, { status: 429, code: 'quota_exceeded' }, 'One operation more than the minute has');
  const hit = readQuotaHit(refusal);
  const isFull = hit.limit === OPERATIONS_PER_MINUTE && hit.used === hit.limit;
  demand(isFull, `Refused at ${hit.used} of ${hit.limit} operations, and the limit is ${OPERATIONS_PER_MINUTE}`);
  const resets = hit.resets_in_ms ?? 0;
  demand(resets > 0 && resets <= 60_000, `A minute begins anew in ${resets} ms`);
  const expected = Math.ceil(resets / 1_000) * 1_000;
  demand(refusal.retryAfterMs === expected, `Retry-After says ${refusal.retryAfterMs} ms, not ${expected}`);
  return hit;
}

/** A minute may end meanwhile: then the next one has room for as many again. */
async function callUntilRefused({
  client,
}: DemoTenant): Promise<Failure | { readonly ok: true; readonly status: 200 }> {
  let reply = await client.whoAmI();
  for (let n = 0; reply.ok && n < 2 * OPERATIONS_PER_MINUTE; n++) reply = await client.whoAmI();
  return reply;
}
