/** A tenant with a tiny rate limit runs into it, is told how long to wait, waits just that long, and is served again. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from '../../lib/client/call.ts';
import type { Cast } from './cast.ts';
import { demand, demandRefusal, demandStatus } from './claims.ts';
import type { DemoTenant } from './tenant.ts';

const OPERATIONS_PER_MINUTE = 30;
/** One operation drains in this time. */
const DRAIN_MS = 60_000 / OPERATIONS_PER_MINUTE;
const RUSH = 10;

export interface LimitProof {
  readonly tenant: DemoTenant;
  readonly operationsPerMinute: number;
  readonly burst: number;
  /** Of {@link RUSH} calls at once. */
  readonly admitted: number;
  readonly refused: number;
  readonly retryAfterSeconds: number;
  readonly shown: readonly string[];
}

/** @throws {BrokenClaimError} */
export async function proveLimit(cast: Cast, signal: AbortSignal): Promise<LimitProof> {
  const quotas = { operations_per_minute: OPERATIONS_PER_MINUTE };
  const tenant = await cast.create({ name: 'C', plan: 'free', quotas });
  const { burst, admitted } = await rush(tenant);
  const { retryAfterMs } = await proveRetryAfter(tenant, signal);
  const last = await tenant.client.whoAmI();
  demandStatus(last, 200, `Tenant C, after waiting the ${retryAfterMs} ms it was told`);
  const { operations } = last.data.used;
  demand(operations === admitted + 1, `Refused calls are not metered: ${admitted + 1} served, ${operations} metered`);
  const retryAfterSeconds = retryAfterMs / 1000;
  const refused = tenant.calls() - admitted - 1;
  return {
    ...{ tenant, operationsPerMinute: OPERATIONS_PER_MINUTE, burst, admitted, refused, retryAfterSeconds },
    shown: [
      `Tenant C (${OPERATIONS_PER_MINUTE} operations a minute, ${burst} at once) sends ${RUSH} calls: ` +
        `${admitted} are served, the others get 429`,
      `Retry-After: ${retryAfterSeconds} is right: refused before, served after`,
      'What was refused was not metered',
    ],
  };
}

/** Sends a rush of calls. Exactly the burst is served, and what has drained meanwhile. */
async function rush({ client }: DemoTenant) {
  const startedAt = performance.now();
  const replies = await Promise.all(Array.from({ length: RUSH }, () => client.whoAmI()));
  const drained = Math.floor((performance.now() - startedAt) / DRAIN_MS);
  const served = replies.filter((reply) => reply.ok);
  for (const reply of replies) if (!reply.ok) demandLimited(reply);
  const burst = served[0]?.data.limits.burst ?? 0;
  const admitted = served.length;
  const most = Math.min(RUSH - 1, burst + drained);
  demand(
    burst > 0 && admitted >= burst && admitted <= most,
    `Of ${RUSH} calls at once ${admitted} were served, not ${burst}`,
  );
  return { burst, admitted };
}

/** Is refused, is refused again shortly before the time it was told, and returns when that time has passed. */
async function proveRetryAfter({ client }: DemoTenant, signal: AbortSignal) {
  const sentAt = performance.now();
  const refusal = await client.whoAmI();
  demandLimited(refusal);
  const answeredAt = performance.now();
  const { retryAfterMs = 0, problem } = refusal;
  const resetsInMs = Number(problem.details?.resets_in_ms);
  const right = Math.ceil(resetsInMs / 1000) * 1000;
  demand(retryAfterMs === right, `Retry-After says ${retryAfterMs} ms, and the limit resets in ${resetsInMs} ms`);
  await delay(resetsInMs / 2, undefined, { signal });
  const early = await client.whoAmI();
  // Answered later than that, it may have been served with right.
  const isTooEarly = performance.now() - sentAt < resetsInMs;
  if (isTooEarly) demandLimited(early);
  await delay(Math.max(0, answeredAt + retryAfterMs - performance.now()), undefined, { signal });
  return { retryAfterMs };
}

function demandLimited(reply: { readonly ok: boolean; readonly status: number }): asserts reply is Failure {
  demandRefusal(reply, { status: 429, code: 'rate_limited' }, 'Tenant C, over its limit');
  const { headers, retryAfterMs = 0 } = reply;
  demand(retryAfterMs >= 1_000, 'A 429 says in Retry-After how long to wait');
  const isEmpty = /"burst";r=0;/.test(headers.get('ratelimit') ?? '');
  demand(isEmpty, 'A 429 says in RateLimit that nothing of the burst is left');
}
