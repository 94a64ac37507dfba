/** The door while what stands behind it fails: Redis through a proxy of the test's own, and S3 through another one. */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ADMIN_KEY, newTenant, type TestTenant } from '../support/app.ts';
import { type Door, type DoorRequest, openDoor } from '../support/door.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { expectProblem } from '../support/problem.ts';
import { servers } from '../support/servers.ts';
import { countTenants, tenantState } from '../support/tenant-state.ts';

const COMMAND_TIMEOUT_MS = 300;
/** For a machine that is busy with other things. */
const SLACK_MS = 1_500;

let door: Door;
let owner: TestTenant;
let redis: FaultProxy;
let s3: FaultProxy;
beforeAll(async () => {
  redis = await startFaultProxy({ targetPort: Number(new URL(servers().redisUrl).port) });
  s3 = await startFaultProxy({ targetPort: Number(new URL(servers().s3.url).port) });
  door = await openDoor({
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    PERSISTENCE_BLOBS_ENDPOINT: `http://127.0.0.1:${s3.port}`,
    PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: String(COMMAND_TIMEOUT_MS),
    PERSISTENCE_REDIS_CONNECTION_TIMEOUT_MS: String(COMMAND_TIMEOUT_MS),
    PERSISTENCE_LOG_LEVEL: 'error',
  });
  owner = await newTenant(door.app);
  return async () => {
    await redis.stop();
    await s3.stop();
  };
});

const ENTRY = '/cache/faults/one';
const put = (): DoorRequest => ({ method: 'PUT', target: ENTRY, key: owner.key, body: 'x' });

async function timed(request: DoorRequest) {
  const startedAt = performance.now();
  const reply = await door.call(request);
  expect(performance.now() - startedAt).toBeLessThan(COMMAND_TIMEOUT_MS + SLACK_MS);
  return reply;
}

/** Until the driver has seen its connections end: a write sent on a dying one is "unknown", and rightly so. */
async function refuseRedis(): Promise<void> {
  await redis.refuse();
  await expect.poll(async () => (await door.call({ target: ENTRY, key: owner.key })).status).toBe(503);
}

const readiness = async () => {
  const reply = await door.call({ target: '/health/ready' });
  return { status: reply.status, ...JSON.parse(reply.body.toString()) };
};

describe('while Redis refuses connections [M3 G1]', () => {
  it('answers 503 within the command timeout, is alive, not ready, and serves again afterwards', async () => {
    await refuseRedis();
    const requests = [put(), { target: ENTRY, key: owner.key }, { target: '/whoami', key: owner.key }];
    for (const request of [...requests, { target: `/admin/tenants/${owner.tenant.id}`, key: ADMIN_KEY }])
      expectProblem(await timed(request), '503 store_unavailable');
    expect((await door.call({ target: '/health/live' })).status).toBe(200);
    expect(await readiness()).toMatchObject({ status: 'unavailable', components: { redis: 'down', s3: 'up' } });

    await redis.accept();
    await expect.poll(async () => (await door.call(put())).status, { timeout: 10_000 }).toBeLessThan(300);
    expect(await readiness()).toMatchObject({ status: 'ready' });
  });

  it('asks for no key before it knows that none is needed', async () => {
    await refuseRedis();
    onTestFinished(() => redis.accept());
    expectProblem(await timed({ target: ENTRY }), '401 key_missing');
    expectProblem(await timed({ target: ENTRY, key: ADMIN_KEY }), '403 wrong_key_kind');
    expectProblem(await timed({ target: '/nowhere' }), '404 route_not_found');
    expectProblem(await timed({ method: 'PUT', target: '/cache/-/k', key: owner.key }), '400 invalid_request');
  });
});

describe('while Redis hangs [M3 G1]', () => {
  it('answers within the timeout: a read was not served, of a write nobody knows', async () => {
    redis.mode('hang');
    onTestFinished(() => redis.mode('pass'));
    expectProblem(await timed({ target: ENTRY, key: owner.key }), '503 store_unavailable');
    const write = await door.call(put());
    expect(['outcome_unknown', 'store_unavailable']).toContain(JSON.parse(write.body.toString()).code);
    expect([write.status, write.headers['retry-after']]).toEqual([503, '1']);
  });

  it('serves again when it goes on, over new connections', async () => {
    redis.mode('pass');
    await expect.poll(async () => (await door.call(put())).status, { timeout: 10_000 }).toBeLessThan(300);
  });
});

describe('a reply to a write that is lost after it was applied [C1 T4]', () => {
  it('is asked for once more, and the write counted once', async () => {
    const tenant = await newTenant(door.app);
    await door.call({ target: '/whoami', key: tenant.key });
    redis.loseNextReply();
    const request = { ...put(), key: tenant.key };
    const reply = await door.call(request);
    // Whether it was new is not known to a replay: 200 or 201.
    expect(reply.status).toBeLessThan(300);
    const { used } = await door.app.account.identify(tenant.caller);
    expect(used).toMatchObject({ entries: 1, bytes_in: 1, operations: 3 });
  });

  it('is asked for again when it began a call with an Idempotency-Key, which makes one tenant', async () => {
    const body = '{"name":"Once","owner":{"id":"o","name":"Ada","email":"ada@acme.test"}}';
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'lost-reply' };
    const create = { method: 'POST', target: '/admin/tenants', key: ADMIN_KEY, headers, body };
    const before = await countTenants(door.app);
    redis.loseNextReply();
    const first = await door.call(create);
    const again = await door.call(create);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body.toString()).toBe(first.body.toString());
    expect(await countTenants(door.app)).toBe(before + 1);
  });
});

describe('while S3 is down [M3]', () => {
  it('serves the cache, and names what is missing', async () => {
    await s3.refuse();
    expect((await door.call(put())).status).toBeLessThan(300);
    expect((await door.call({ target: ENTRY, key: owner.key })).body.toString()).toBe('x');
    expect(await readiness()).toMatchObject({ status: 'degraded', components: { redis: 'up', s3: 'down' } });
    await s3.accept();
    await expect.poll(async () => (await readiness()).status, { timeout: 10_000 }).toBe('ready');
  });

  it('says so in time when S3 hangs', async () => {
    s3.mode('hang');
    onTestFinished(() => s3.mode('pass'));
    const startedAt = performance.now();
    expect(await readiness()).toMatchObject({ status: 'degraded' });
    expect(performance.now() - startedAt).toBeLessThan(2_000 + SLACK_MS);
  });
});

describe('a request that fails half-way [G1]', () => {
  it('leaves the tenant as it was when its script was never run', async () => {
    await refuseRedis();
    await door.call(put());
    await redis.accept();
    await expect.poll(() => door.app.redis.send(['PING'], { kind: 'read' }), { timeout: 10_000 }).toBe('PONG');
    const before = await tenantState(door.app, owner.tenant.id);
    await refuseRedis();
    for (const request of [put(), { method: 'DELETE', target: ENTRY, key: owner.key }])
      expectProblem(await door.call(request), '503 store_unavailable');
    await redis.accept();
    await expect.poll(() => door.app.redis.send(['PING'], { kind: 'read' }), { timeout: 10_000 }).toBe('PONG');
    expect(await tenantState(door.app, owner.tenant.id)).toEqual(before);
  });
});
