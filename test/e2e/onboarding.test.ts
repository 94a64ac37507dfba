/** The guides are true: their commands run, as they stand, against a started service. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withServiceApp } from '../support/service-app.ts';
import { readShBlocks, runSh } from '../support/sh-blocks.ts';
import { type RunningService, startService } from '../support/start-service.ts';

let service: RunningService;
let folder: string;
beforeAll(async () => {
  service = await startService();
  folder = await mkdtemp(join(tmpdir(), 'riptide-guide-'));
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Only where things run is another place: address, data folder, the receiver's port. */
async function run(blocks: readonly string[]) {
  const port = String(await freePort());
  const script = blocks
    .join('\n')
    .replaceAll('http://127.0.0.1:3000', service.url)
    .replaceAll('$(cat .data/', `$(cat ${service.dataDir}/`)
    .replaceAll('127.0.0.1:4000', `127.0.0.1:${port}`)
    .replaceAll('listen(4000', `listen(${port}`);
  const env = { RIPTIDE_DATA_DIR: service.dataDir, TMPDIR: folder, RIPTIDE_URL: '', RIPTIDE_ADMIN_KEY: '' };
  return runSh(script, env);
}

describe('the onboarding guide [C4 C6 C7 C8 C9 C11 C12 S1 S2 S3 S4 T1 T2 T3 T4 T6 T7 T8 T9 T10 T11 A1 A2 A3 A4 A5 A6 A7]', () => {
  let output: string;
  let code: number | null;
  beforeAll(async () => {
    ({ code, output } = await run(await readShBlocks('docs/onboarding.md')));
  });

  it('takes one tenant from its creation to its deletion, and not one command fails', () => {
    expect(code, output).toBe(0);
  });

  it.each([
    [
      'a cache is warmed, after a look',
      /"dry_run":true,"counts":\{"stored":3\}.*"dry_run":false,"counts":\{"stored":3\}/s,
    ],
    ['a batch tells what became of each', /"lamp","status":"hit".*"chair","status":"hit".*"stool","status":"miss"/],
    ['a dry run counts what is then invalidated', /"would_invalidate":2.*"invalidated":2/s],
    ['one is given the lease, and the others know', /^riptide-lease-held: true\s*$/im],
    ['a stale value is labelled', /^riptide-stale: true\s*A better lamp$/im],
    ['a large value comes back', /^the same film$/m],
    ['statistics know the hits', /"hit_rate":0\.\d+.*"series":\{"interval":"minute"/],
    ['a value of a session comes back to the digit', /"data":\{"cart":\["lamp"\],"price":0\.10\}/],
    [
      'a session is not written over, and an old id is dead',
      /version_conflict".*refused: version_conflict.*refused: session_not_found/s,
    ],
    ['a user ends the other sessions', /^2\n\{"would_terminate":1,"more":false\}\n\{"terminated":1,"more":false\}$/m],
    ['a policy denies', /"code":"access_denied".*refused: access_denied/s],
    ['encryption is on', /"encryption":true/],
    ['the receiver verifies the test message', /verified \{"type":"webhook.test"/],
    ['the test message was delivered', /"delivered":true/],
    ['the bill is a table, too', /^period,status,key,plan,/m],
    ['both plans are on the bill', /\d+ "plan":"professional"\n\s+\d+ "plan":"starter"/],
    ['a suspended tenant is refused', /"code":"tenant_suspended".*refused: tenant_suspended/s],
    ['an approved request acts', /^"memory_bytes":200000000$/m],
    ['a deleted tenant is refused', /"code":"tenant_deleted".*refused: tenant_deleted/s],
    ['the erasure is due', /"state":"scheduled"/],
    ['the audit log is intact', /^INTACT: \d+ entries, 1 to \d+$/m],
  ])('shows that %s', (_what, expected) => {
    expect(output).toMatch(expected);
  });

  it('shows the receipt once the schedule has come', async () => {
    const [start = '', ...blocks] = await readShBlocks('docs/onboarding.md');
    const ask = blocks.find((block) => block.includes('/erasure"')) ?? '';
    const id = /"state":"scheduled"/.test(output) ? /tenant-[0-9a-z]+/.exec(output)?.[0] : undefined;
    await withServiceApp(service, ({ erasure }) => erasure.eraseDue());
    const receipt = await run([start, `TENANT=${id}`, ask]);
    expect(receipt.output).toMatch(/"state":"erased".*"receipt":\{.*"method":"removal_and_crypto_shred"/);
    expect(receipt.code).toBe(0);
  });
});

describe('the commands of the README [A1 C1 C4 C6 C7 C8 C10 C11 C12]', () => {
  it('make a tenant and a key, store a value and read it back; and show what the cache does', async () => {
    const blocks = (await readShBlocks('README.md')).filter((block) => block.includes('curl'));
    const { code, output } = await run(blocks);
    expect(code, output).toBe(0);
    expect(output).toMatch(/"created":true.*\{"hello":"world"\}.*"tenant_id":"tenant-/s);
    expect(output).toMatch(
      /"p\/3","status":"miss".*^304$.*precondition_failed.*"created":false.*"would_invalidate":1/ms,
    );
    expect(output).toMatch(/^\{"sold":3\}$.*"hit_rate":0\.\d+.*"dry_run":true.*"job_id":"job-.*same$/ms);
  });
});
