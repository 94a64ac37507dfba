/** What the Upstash endpoint says when its Redis is gone: always something, at once, and true. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { askRedis } from '../../infra/local/redis/ask-redis.ts';
import { startUpstashEndpoint } from '../../infra/local/upstash/start-upstash-endpoint.ts';
import { ownRedis } from '../support/redis-own.ts';
import { restCall } from '../support/redis-rest-call.ts';
import { servers } from '../support/servers.ts';

describe('the endpoint without Redis [G1 M3]', () => {
  const ownEndpoint = async (redisUrl: string) => {
    const endpoint = await startUpstashEndpoint({ redisUrl, token: servers().restToken });
    onTestFinished(() => endpoint.stop());
    return (body: unknown) => restCall({ url: endpoint.url, body });
  };

  it('answers 503 at once, and serves again when Redis is back', async () => {
    const redis = await ownRedis();
    const send = await ownEndpoint(redis.url);
    expect((await send(['PING'])).json.result).toBe('PONG');
    await redis.stop();
    await expect.poll(async () => (await send(['PING'])).status).toBe(503);
    const started = performance.now();
    expect((await send(['SET', 'k', 'v'])).json.error).toMatch(/^UNAVAILABLE /);
    expect(performance.now() - started).toBeLessThan(1_000);
    await ownRedis({ port: redis.port });
    await expect.poll(async () => (await send(['PING'])).status, { timeout: 5_000 }).toBe(200);
  });

  it('starts without Redis, and serves as soon as it is there', async () => {
    const redis = await ownRedis();
    await redis.stop();
    const send = await ownEndpoint(redis.url);
    expect((await send(['PING'])).status).toBe(503);
    await ownRedis({ port: redis.port });
    await expect.poll(async () => (await send(['PING'])).status, { timeout: 5_000 }).toBe(200);
  });

  it('calls the outcome unknown when Redis dies before its reply', async () => {
    const redis = await ownRedis();
    const send = await ownEndpoint(redis.url);
    const pending = send(['EVAL', 'redis.call("SET", "k", "v") while true do end', '1', 'k']);
    // While the endless script runs, Redis answers nobody.
    const ping = () => askRedis(redis, (other) => other.ping()).catch(() => 'silence');
    await expect.poll(ping, { timeout: 10_000 }).toBe('silence');
    process.kill(redis.pid, 'SIGKILL');
    const answer = await pending;
    expect([answer.status, answer.json.error]).toEqual([
      500,
      expect.stringMatching(/^The connection .* outcome is unknown$/),
    ]);
  });
});
