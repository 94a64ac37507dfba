/** An instance on Lambda that is ended: it has asked to be told, gives its connections back, and was not slowed by it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFunctions } from '../../infra/build/build-functions.ts';
import { extensionsApi } from '../support/extensions-api.ts';
import { startInstance } from '../support/runtime-api.ts';
import { sampleEvent } from '../support/sample-event.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const root = join(import.meta.dirname, '../..');
const outDir = mkdtempSync(join(tmpdir(), 'riptide-sigterm-'));
const dir = join(outDir, 'ready');
let service: RunningService;

beforeAll(async () => {
  const functions = [{ key: 'ready', entry: { source: 'functions/health/check-ready.ts' } }];
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  [service] = await Promise.all([startService(), buildFunctions({ root, outDir, functions, architecture })]);
}, 60_000);
afterAll(async () => {
  await service.stop();
  rmSync(outDir, { recursive: true, force: true });
});

const start = (env: Record<string, string> = {}) =>
  startInstance({ dir, event: sampleEvent('health/check-ready'), env: { ...service.settings, ...env } });

describe('an instance on Lambda [K7]', () => {
  it('registers before the runtime is ready, says so, answers, and ends by itself at SIGTERM', async () => {
    const { address, asked } = await extensionsApi();
    const { reply, end } = await start({ AWS_LAMBDA_RUNTIME_API: address });
    expect(reply).toMatchObject({ statusCode: 200 });
    await expect.poll(() => asked.toSorted(), { timeout: 5_000 }).toEqual(['next', 'ready', 'register']);
    expect(asked[0]).toBe('register');
    expect(await end()).toEqual({ code: 0, signal: null });
  });

  it('ends the same over REST', async () => {
    const { address } = await extensionsApi();
    const { reply, end } = await start({
      AWS_LAMBDA_RUNTIME_API: address,
      UPSTASH_REDIS_REST_URL: service.settings.RIPTIDE_LOCAL_REST_URL ?? '',
      UPSTASH_REDIS_REST_TOKEN: service.settings.RIPTIDE_LOCAL_REST_TOKEN ?? '',
    });
    expect(reply).toMatchObject({ statusCode: 200 });
    expect(await end()).toEqual({ code: 0, signal: null });
  });

  it('works the same where its registration is refused', async () => {
    const { address, asked } = await extensionsApi({ refuses: true });
    const { reply, end } = await start({ AWS_LAMBDA_RUNTIME_API: address });
    expect(reply).toMatchObject({ statusCode: 200 });
    expect(await end()).toEqual({ code: 0, signal: null });
    expect(asked).toEqual(['register', 'ready']);
  });

  it('elsewhere than on Lambda registers nowhere, and ends as any process', async () => {
    const { reply, end } = await start();
    expect(reply).toMatchObject({ statusCode: 200 });
    expect(await end()).toEqual({ code: null, signal: 'SIGTERM' });
  });
});
