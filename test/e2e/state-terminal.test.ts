/** `npm run state`, as it is run, on a service as it is started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../lib/client/client.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const COMMAND = join(import.meta.dirname, '../../infra/state.ts');

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const spawned = (args: readonly string[]) =>
  spawn(process.execPath, [COMMAND, ...args], {
    env: { PATH: process.env.PATH, RIPTIDE_URL: service.url, RIPTIDE_ADMIN_KEY: service.adminKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function state(...args: readonly string[]) {
  const child = spawned(args);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

const admin = () => createClient({ baseUrl: service.url, key: service.adminKey });

/** A tenant with an entry. */
async function newTenant() {
  const owner = { id: 'o', name: 'Ada', email: 'ada@acme.test' };
  const made = await admin().createTenant({ body: { name: 'Acme', owner } });
  if (!made.ok) throw new Error(made.problem.code);
  const key = await admin().createKey({
    params: { id: made.data.id },
    body: { scopes: ['cache:read', 'cache:write'] },
  });
  if (!key.ok) throw new Error(key.problem.code);
  const own = createClient({ baseUrl: service.url, key: key.data.key });
  const params = { namespace: 'ns', key: 'k' };
  const put = async (value: string) => {
    const { ok } = await own.putEntry({ params, headers: { 'content-type': 'text/plain' }, body: value });
    expect(ok).toBe(true);
  };
  const get = async () => {
    const found = await own.getEntry({ params });
    return found.ok && 'bytes' in found ? Buffer.from(found.bytes).toString() : null;
  };
  return { id: made.data.id, put, get };
}

/** Not beside the one that the clock has started. */
async function take(): Promise<string> {
  let taken = { code: 2 as unknown, out: '', err: 'checkpoint_running' };
  await pollUntil(async () => {
    taken = await state('checkpoint', '--description', 'before the change');
    return !taken.err.includes('checkpoint_running');
  }, 30_000);
  expect(taken).toMatchObject({ code: 0 });
  return /^(ckpt-\w+): /.exec(taken.out)?.[1] ?? '';
}

describe('npm run state [A12 A13 K1 K3 K4]', () => {
  it('takes, lists, shows, verifies, compares, restores and undoes', async () => {
    const tenant = await newTenant();
    await tenant.put('then');
    const id = await take();
    expect((await state('list')).out).toContain(id);
    expect((await state('show', id, '--tenant', tenant.id)).out).toContain('before the change');
    expect(await state('verify', id)).toMatchObject({ code: 0, out: expect.stringContaining('SOUND') });
    await tenant.put('now');
    const scope = [id, '--tenant', tenant.id] as const;
    const picture = await state('diff', ...scope);
    expect(picture).toMatchObject({ code: 0, err: expect.stringContaining('Compare: 100 %') });
    expect(picture.out).toMatch(/~ █{30} +1 {2}change back/);
    expect(await state('restore', ...scope)).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(await tenant.get()).toBe('now');
    const restored = await state('restore', ...scope, '--yes');
    expect(restored).toMatchObject({ code: 0 });
    expect(await tenant.get()).toBe('then');
    const undo = /npm run state -- restore (ckpt-\w+)$/m.exec(restored.out)?.[1] ?? '';
    expect(await state('restore', undo, '--yes')).toMatchObject({ code: 0 });
    expect(await tenant.get()).toBe('now');
  });

  it('says in a line what it cannot do', async () => {
    const none = 'ckpt-01jd5x9a2b3c4d5e6f7g8h9j0k';
    expect(await state('show', none)).toEqual({
      code: 2,
      out: '',
      err: '[state] No such checkpoint (checkpoint_not_found)\n',
    });
    expect(await state('bake')).toMatchObject({ code: 2, err: expect.stringContaining('No such command: bake') });
    expect(await state('--help')).toMatchObject({ code: 0, out: expect.stringContaining('restore ID') });
  });

  it('left by Ctrl-C leaves the job running, and says how to follow it', async () => {
    const id = await take();
    const child = spawned(['verify', id]);
    const err = text(child.stderr);
    child.stderr.once('data', () => child.kill('SIGINT'));
    const [[code], said] = await Promise.all([once(child, 'exit'), err]);
    const job = /npm run state -- follow (job-\w+)/.exec(said)?.[1];
    if (code === 0) return expect(job).toBeUndefined();
    expect(code).toBe(130);
    expect(await state('follow', job ?? '')).toMatchObject({ code: 0, out: expect.stringContaining('"ok": true') });
  });
});
