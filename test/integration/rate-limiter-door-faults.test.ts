/** `POST /ratelimit/{name}` through the door while Redis cannot be reached. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { telemetry } from '../../lib/metrics/telemetry.ts';
import { newTenant, type TestTenant } from '../support/app.ts';
import { type Door, openDoor } from '../support/door.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { expectProblem } from '../support/problem.ts';
import { servers } from '../support/servers.ts';

let proxy: FaultProxy;
let door: Door;
let tenant: TestTenant;
beforeAll(async () => {
  proxy = await startFaultProxy({ targetPort: Number(new URL(servers().redisUrl).port) });
  door = await openDoor({
    REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
    PERSISTENCE_REDIS_COMMAND_TIMEOUT_MS: '1000',
  });
  // What fails here is meant to fail.
  telemetry.logger.setLogLevel('SILENT');
  tenant = await newTenant(door.app);
});
afterAll(() => proxy.stop());

const post = (body: object, more: { key?: string; headers?: Record<string, string> } = {}) =>
  door.call({
    method: 'POST',
    target: '/ratelimit/logins',
    key: more.key ?? tenant.key,
    headers: { 'content-type': 'application/json', ...more.headers },
    body: JSON.stringify({ identifier: 'user-1', limit: 2, window_ms: 60_000, ...body }),
  });

describe('without Redis [T5 A14]', () => {
  it('answers 503, or lets pass what asks for it with a key that was seen; nothing else is open', async () => {
    const open = { on_unavailable: 'allow' };
    expect((await post(open)).status).toBe(200);
    const stranger = await newTenant(door.app);
    await proxy.refuse();
    // Whether the first one was sent before the connection was cut is not known.
    expect((await post({})).status).toBe(503);
    const passed = await post(open);
    expect([passed.status, JSON.parse(`${passed.body}`)]).toEqual([
      200,
      {
        allowed: true,
        limit: 2,
        remaining: null,
        reset_at: null,
        retry_after_ms: null,
        algorithm: 'fixed_window',
        degraded: true,
      },
    ]);
    expect(passed.headers).not.toHaveProperty('ratelimit');
    expectProblem(await post(open, { key: stranger.key }), '503 store_unavailable');
    expectProblem(await post(open, { headers: { 'idempotency-key': 'x' } }), '503 store_unavailable');
    expectProblem(await door.call({ target: '/whoami', key: tenant.key }), '503 store_unavailable');
  });
});
