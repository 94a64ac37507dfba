/** `npm run audit:verify`, as it is run: on exports, and on a running service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, buildApp } from '../../lib/app.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { newUlid } from '../../lib/ids.ts';
import { auditEntry, auditLog } from '../support/audit-entries.ts';
import { pollUntil } from '../support/poll-until.ts';
import { type RunningService, startService } from '../support/start-service.ts';

const COMMAND = join(import.meta.dirname, '../../infra/audit-verify.ts');

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'riptide-audit-'));
});
afterAll(() => rm(dir, { recursive: true }));

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

async function run(args: readonly string[], { env = {}, input = '' }: Run = {}) {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { PATH: process.env.PATH, RIPTIDE_DATA_DIR: dir, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

const { lines, head } = auditLog(5);
const content = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
const fileOf = (name: string, all: readonly string[]) => {
  const path = join(dir, name);
  writeFileSync(path, content(all));
  return path;
};

describe('audit:verify on an export [T11]', () => {
  it('says that it is intact, and where it ends', async () => {
    const { code, out, err } = await run(['--file', fileOf('intact.ndjson', lines), '--head', head.hash]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('INTACT: 5 entries, 1 to 5');
    expect(out).toContain(`Head:   5:${head.hash}`);
  });

  it('names the first entry that is broken', async () => {
    const forged = lines.with(2, (lines[2] as string).replace('tenant.update', 'tenant.delete'));
    const { code, out } = await run(['--file', fileOf('forged.ndjson', forged)]);
    expect(code).toBe(1);
    expect(out).toContain('NOT INTACT: entry 3 is not what was sealed');
    expect(out).toContain('First broken entry: 3 (wrong_hash, line 3)');
    expect(out).toContain('Intact before it:   2 entries, 1 to 2');
  });

  it('finds an end that was cut off, by the head that was noted', async () => {
    const file = fileOf('cut.ndjson', lines.slice(0, 3));
    expect((await run(['--file', file])).code).toBe(0);
    const { code, out } = await run(['--file', file, '--head', `5:${head.hash}`]);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('First broken entry: 4 (truncated') });
  });

  it('takes a part, when told that it is one', async () => {
    const file = fileOf('part.ndjson', lines.slice(2));
    expect((await run(['--file', file])).out).toContain('entries 1 to 2 are missing');
    expect(await run(['--file', file, '--part'])).toMatchObject({ code: 0, out: expect.stringContaining('3 to 5') });
  });

  it('reads standard input, separators of Unicode within lines, and a last line without an end', async () => {
    const strange = auditLog(2, head, { separators: '\u2028 \u2029 \u0085' }).lines;
    const input = content([...lines, ...strange]).trimEnd();
    expect(await run(['--file', '-'], { input })).toMatchObject({ code: 0, out: expect.stringContaining('7 entries') });
  });

  it('says how far it is in a long one', async () => {
    const { code, err } = await run(['--file', fileOf('long.ndjson', auditLog(20_500).lines)]);
    expect(code).toBe(0);
    expect(err).toBe('[audit] 10,000 entries read\n[audit] 20,000 entries read\n');
  });

  it('says that an empty one is empty, and that a noted head is not in it', async () => {
    const file = fileOf('empty.ndjson', []);
    expect(await run(['--file', file])).toMatchObject({ code: 0, out: 'The log is empty.\n' });
    expect((await run(['--file', file, '--head', head.hash])).code).toBe(1);
  });

  it.each([
    [['--file', 'no-such-file'], 'cannot be read'],
    [['--files', 'x'], 'Unknown option'],
    [['--file', 'x', '--head', 'abc'], '64 hexadecimal digits'],
    [['--part'], '--part is for --file'],
    [['--file', 'x', '--save', 'y'], '--save'],
    [[], 'No service runs here'],
  ])('verifies nothing and says why: %j', async (args, message) => {
    const { code, err, out } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).not.toContain('    at ');
  });

  it('tells how it is used', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--head HEAD') });
  });
});

describe('audit:verify on a running service [T11]', () => {
  let service: RunningService;
  let app: App;
  let env: Record<string, string>;
  beforeAll(async () => {
    service = await startService();
    const readFile = () => Promise.reject(new Error('no configuration file'));
    app = await buildApp((await loadConfig({ env: service.settings, readFile })).config);
    env = { RIPTIDE_URL: service.url, RIPTIDE_ADMIN_KEY: service.adminKey };
    // More than a page.
    const entries = Array.from({ length: 1_100 }, (_, i) => ({ ...auditEntry(i), id: newUlid(i) }));
    await Promise.all(entries.map((entry) => app.audit.append(entry)));
    await pollUntil(isSealed);
  });
  afterAll(async () => {
    await app.close();
    await service.stop();
  });

  /** Each first page seals some of what is pending. */
  const isSealed = async () => {
    const response = await fetch(`${service.url}/admin/audit?limit=1`, {
      headers: { authorization: `Bearer ${service.adminKey}` },
    });
    const { head: now } = (await response.json()) as { head: { seq: number } };
    return now.seq >= 1_100;
  };

  it('verifies all of it, and keeps an export that is intact as well', async () => {
    const save = join(dir, 'saved.ndjson');
    const live = await run(['--save', save], { env });
    expect(live).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^INTACT: 1,1\d\d entries, 1 to 11\d\d\n/),
    });
    const noted = /Head: +(\d+:\w+)/.exec(live.out)?.[1] ?? '';
    expect(readFileSync(save, 'utf8').split('\n').length).toBeGreaterThan(1_100);
    expect((await run(['--file', save, '--head', noted])).code).toBe(0);
    expect((await run(['--head', noted], { env })).code).toBe(0);
    expect(await run(['--save', save], { env })).toMatchObject({ code: 2, err: expect.stringContaining('EEXIST') });
  });

  it('finds the service by its data folder', async () => {
    const found = await run([], { env: { RIPTIDE_DATA_DIR: service.dataDir } });
    expect(found).toMatchObject({ code: 0, out: expect.stringContaining('INTACT') });
  });

  it('does not find a head of another log', async () => {
    const { code, out } = await run(['--head', head.hash], { env });
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('is not in the log') });
  });

  it('says that its key is refused', async () => {
    const { code, err } = await run([], { env: { ...env, RIPTIDE_ADMIN_KEY: 'wrong' } });
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('answered 401') });
  });
});
