/** `Idempotency-Key`: whatever gets lost or repeated, the work is done once and its answer stays the same. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { OutcomeUnknownError, TenantLimitError } from '../../lib/errors.ts';
import type { IdempotentCall } from '../../lib/http/call-ledger.ts';
import { newUlid } from '../../lib/ids.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { TRANSPORTS, testApp } from '../support/app.ts';

const HOUR_MS = 3_600_000;
const newOp = () => newUlid(Date.now());
const newCall = (changes: Partial<IdempotentCall> = {}): IdempotentCall => ({
  caller: 'a-key-of-somebody',
  idempotencyKey: newOp(),
  route: 'POST /things',
  body: '{"n":1}',
  operationId: newOp(),
  leaseMs: 30_000,
  ...changes,
});
const repeated = (call: IdempotentCall): IdempotentCall => ({ ...call, operationId: newOp() });

describe.each(TRANSPORTS)('idempotent calls over %s [A14]', (transport) => {
  let app: App;
  let between: FailpointHook = () => {};
  beforeAll(async () => {
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: `i-${newOp()}` };
    app = await testApp({ transport, env, failpoint: (call) => between(call) });
  });

  /** Work that counts how often it ran, and with which operation ids. */
  const counted = (outcome: () => unknown = () => ({ secret: 'a secret of the reply' })) => {
    const ran: string[] = [];
    const work = async (operationId: string) => {
      ran.push(operationId);
      return { status: 201, data: await outcome(), headers: { location: '/things/1' } };
    };
    return { ran, work };
  };
  const run = (call: IdempotentCall, work: ReturnType<typeof counted>['work']) => app.idempotency.run(call, work);

  it('answers a repeated call as the first one, and works once', async () => {
    const { ran, work } = counted();
    const call = newCall();
    const first = await run(call, work);
    expect(first).toMatchObject({ status: 201, headers: { location: '/things/1', 'idempotency-status': 'stored' } });
    for (let i = 0; i < 3; i++) {
      const again = await run(repeated(call), work);
      expect(again).toEqual({ ...first, headers: { ...first.headers, 'idempotency-status': 'replayed' } });
    }
    expect(ran).toEqual([call.operationId]);
  });

  it('works once when 20 equal calls race; the others are told to wait', async () => {
    const gate = Promise.withResolvers<void>();
    const { ran, work } = counted(() => gate.promise);
    const call = newCall();
    const racing = Array.from({ length: 20 }, () => run(repeated(call), work));
    const settled = racing.map((one) => one.catch((error) => error.code));
    await expect.poll(() => ran.length).toBe(1);
    await expect(run(repeated(call), work)).rejects.toMatchObject({ status: 409, code: 'idempotency_in_progress' });
    gate.resolve();
    const outcomes = await Promise.all(settled);
    expect(outcomes.filter((outcome) => typeof outcome === 'object')).not.toHaveLength(0);
    expect(new Set(outcomes.filter((outcome) => typeof outcome === 'string'))).toEqual(
      new Set(['idempotency_in_progress']),
    );
    expect(ran).toHaveLength(1);
  });

  it('refuses the key for another body, also while the first one runs', async () => {
    const { ran, work } = counted();
    const call = newCall();
    await run(call, work);
    const other = run({ ...repeated(call), body: '{"n":2}' }, work);
    await expect(other).rejects.toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect(ran).toHaveLength(1);
  });

  it.each<[string, () => Partial<IdempotentCall>]>([
    ['callers', () => ({ caller: 'a-key-of-somebody-else' })],
    ['routes', () => ({ route: 'POST /other-things' })],
    ['keys', () => ({ idempotencyKey: newOp() })],
  ])('keeps %s apart', async (_what, change) => {
    const { ran, work } = counted();
    const call = newCall();
    await run(call, work);
    await run({ ...repeated(call), ...change() }, work);
    expect(ran).toHaveLength(2);
  });

  it('keeps the answer for 24 hours, and not readable without the caller', async () => {
    const before = await stored();
    await run(newCall(), counted().work);
    const [key] = (await stored()).filter((name) => !before.includes(name)) as [string];
    const ttlMs = Number(await app.redis.send(['PTTL', key], { kind: 'read' }));
    expect(ttlMs).toBeGreaterThan(23.9 * HOUR_MS);
    expect(ttlMs).toBeLessThanOrEqual(24 * HOUR_MS);
    const fields = (await app.redis.send(['HGETALL', key], { kind: 'read' })) as readonly string[];
    const readable = fields.flatMap((field) => [field, Buffer.from(field.slice(3), 'base64url').toString('latin1')]);
    for (const hidden of ['a secret of the reply', '/things', 'a-key-of-somebody', '"n":1'])
      expect(readable.join()).not.toContain(hidden);
  });

  const stored = async () => {
    const pattern = `${app.config.cache.keyPrefix}:*:idem:*`;
    return (await app.redis.send(['KEYS', pattern], { kind: 'read' })) as readonly string[];
  };

  it('forgets a call that changed nothing, so that it may be tried again', async () => {
    const full = counted(() => Promise.reject(new TenantLimitError('full')));
    const call = newCall();
    await expect(run(call, full.work)).rejects.toMatchObject({ code: 'tenant_limit_reached' });
    const { ran, work } = counted();
    const again = repeated(call);
    expect(await run(again, work)).toMatchObject({ headers: { 'idempotency-status': 'stored' } });
    expect(ran).toEqual([again.operationId]);
  });

  it('repeats one with an unknown outcome as the same operation, once its lease has ended', async () => {
    const lost = counted(() => Promise.reject(new OutcomeUnknownError('lost')));
    const call = newCall({ leaseMs: 150 });
    await expect(run(call, lost.work)).rejects.toMatchObject({ code: 'outcome_unknown' });
    const { ran, work } = counted();
    const running = await run(repeated(call), work).catch((error) => error);
    expect(running).toMatchObject({ status: 409, code: 'idempotency_in_progress' });
    expect(running.retryAfterMs).toBeLessThanOrEqual(150);
    await expect
      .poll(() =>
        run(repeated(call), work).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(201);
    expect(ran).toEqual([call.operationId]);
  });

  it('does not let a call that comes late end one that began after it was forgotten', async () => {
    const slow = Promise.withResolvers<string>();
    const first = counted(() => slow.promise);
    const call = newCall({ leaseMs: 1 });
    const late = run(call, first.work);
    await expect.poll(() => first.ran.length).toBe(1);
    const refused = counted(() => Promise.reject(new TenantLimitError('full')));
    const codeOf = (calling: Promise<unknown>) => calling.catch((error) => error.code);
    await expect.poll(() => codeOf(run(repeated(call), refused.work))).toBe('tenant_limit_reached');
    expect(refused.ran).toEqual([call.operationId]);

    const third = repeated({ ...call, leaseMs: 30_000 });
    const slowToo = Promise.withResolvers<string>();
    const running = run(third, counted(() => slowToo.promise).work);
    slow.resolve('of the first');
    await late;
    await expect(run(repeated(call), first.work)).rejects.toMatchObject({ code: 'idempotency_in_progress' });
    slowToo.resolve('of the third');
    await running;
    expect(await run(repeated(call), first.work)).toMatchObject({ data: 'of the third' });
  });

  it('asks again when the reply to its beginning is lost, and is not taken for another', async () => {
    let lost = false;
    between = ({ name, phase }) => {
      if (name !== 'begin-idempotent' || phase !== 'after' || lost) return;
      lost = true;
      throw new OutcomeUnknownError('lost');
    };
    const { ran, work } = counted();
    const call = newCall();
    expect(await run(call, work)).toMatchObject({ status: 201 });
    expect({ lost, ran }).toEqual({ lost: true, ran: [call.operationId] });
  });
});
