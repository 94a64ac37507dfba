/** A call of several steps says "nothing was changed" only while that is true; a run that was taken over changes nothing. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../lib/app.ts';
import { RedisUnavailableError, StorageFullError } from '../../lib/errors.ts';
import { newTenantId, newUlid } from '../../lib/ids.ts';
import type { FailpointHook } from '../../lib/redis/failpoints.ts';
import { newTenantRequest, TRANSPORTS, testApp } from '../support/app.ts';

const unknown = { status: 503, code: 'outcome_unknown' };
const newUlidNow = () => newUlid(Date.now());

describe.each(TRANSPORTS)('outcomes of several steps over %s [T1 A14]', (transport) => {
  let app: App;
  let between: FailpointHook = () => {};
  beforeAll(async () => {
    const env = { PERSISTENCE_CACHE_KEY_PREFIX: `u-${newUlidNow()}` };
    app = await testApp({ transport, env, failpoint: (call) => between(call) });
  });
  beforeEach(() => {
    between = () => {};
  });

  /** Fails every call of a script before it is sent. */
  const refuse = (script: string, error: Error = new RedisUnavailableError('refused')) => {
    between = ({ name, phase }) => {
      if (name === script && phase === 'before') throw error;
    };
  };
  const newCall = (leaseMs: number) => {
    const call = { caller: 'somebody', idempotencyKey: newUlidNow(), route: 'POST /things', body: '{}', leaseMs };
    return () => ({ ...call, operationId: newUlidNow() });
  };
  const answering = (data: unknown) => async () => ({ status: 201, data: await data });

  it('are unknown once a tenant is made, and the same when repeated', async () => {
    const ulid = newUlidNow();
    refuse('confirm-tenant');
    await expect(app.tenants.create(newTenantRequest(), { ulid })).rejects.toMatchObject(unknown);
    expect(await app.tenants.get(newTenantId(ulid))).toMatchObject({ name: 'Acme' });
    between = () => {};
    expect((await app.tenants.create(newTenantRequest(), { ulid })).id).toBe(newTenantId(ulid));
  });

  it('are known before: nothing was made', async () => {
    const ulid = newUlidNow();
    refuse('create-tenant');
    await expect(app.tenants.create(newTenantRequest(), { ulid })).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(app.tenants.get(newTenantId(ulid))).rejects.toMatchObject({ code: 'tenant_not_found' });
  });

  it.each([
    ['cannot be reached', new RedisUnavailableError('refused')],
    ['is full', new StorageFullError('store_full', 'full')],
  ])('are unknown when the work is done and Redis %s to keep its answer', async (_what, error) => {
    const call = newCall(1);
    refuse('end-idempotent', error);
    await expect(app.idempotency.run(call(), answering('done'))).rejects.toMatchObject(unknown);
    between = () => {};
    const again = () => app.idempotency.run(call(), answering('done')).catch(({ code }) => code);
    await expect.poll(again).toMatchObject({ data: 'done' });
  });

  it('stay as they were answered when a run that was taken over ends late', async () => {
    const call = newCall(1);
    const slow = Promise.withResolvers<string>();
    const started = Promise.withResolvers<void>();
    const late = app.idempotency.run(call(), () => {
      started.resolve();
      return answering(slow.promise)();
    });
    await started.promise;
    const second = () => app.idempotency.run(call(), answering('of the second')).catch(({ code }) => code);
    await expect.poll(second).toMatchObject({ data: 'of the second' });
    slow.resolve('of the first');
    await late;
    expect(await second()).toMatchObject({ data: 'of the second' });
  });
});
