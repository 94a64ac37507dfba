/** docs/sessions-adapters.md, "With Express", as somebody follows it: a project of its own, over HTTP to a running service. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollUntil } from '../support/poll-until.ts';
import { serviceTenant } from '../support/service-tenant.ts';
import { type RunningService, startService } from '../support/start-service.ts';
import { newVisitor } from '../support/visitor.ts';

const ROOT = join(import.meta.dirname, '../..');
// Below the repository, so that express is found; `npm install` in the project is not ours to test.
const PROJECT = join(ROOT, '.cache', `express-example-${process.pid}`);

/** The first code block of a marked part of the page. */
async function block(mark: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/sessions-adapters.md'), 'utf8');
  const [, code] =
    new RegExp(`<!-- ${mark}:start -->\n\`\`\`\\w+\n([^]*?)\`\`\`\n<!-- ${mark}:end -->`).exec(page) ?? [];
  if (code === undefined) throw new Error(`The page has no part ${mark}`);
  return code;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

let service: RunningService;
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  await mkdir(PROJECT, { recursive: true });
  const [bundle, code] = await Promise.all([block('bundle'), block('express')]);
  await promisify(execFile)('sh', ['-euc', bundle], { cwd: ROOT, env: { ...process.env, PROJECT } });
  await writeFile(join(PROJECT, 'server.mjs'), code);
  service = await startService();
  const { key } = await serviceTenant(service);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const env = {
    RIPTIDE_URL: service.url,
    RIPTIDE_KEY: key,
    SESSION_SECRET: 'a secret of the test',
    PORT: String(port),
  };
  server = spawn(process.execPath, ['server.mjs'], { cwd: PROJECT, env, stdio: 'inherit' });
  await pollUntil(() =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});
afterAll(async () => {
  server?.kill();
  await service?.stop();
  await rm(PROJECT, { recursive: true, force: true });
});

describe('an express server of somebody else’s [S1 S2 S3]', () => {
  it('counts views, signs in and signs out', async () => {
    const visitor = newVisitor(url);
    const views = async () => JSON.parse((await visitor.get('/')).text);
    expect([await views(), await views()]).toEqual([
      { user: null, views: 1 },
      { user: null, views: 2 },
    ]);
    expect((await visitor.post('/login/ada')).status).toBe(200);
    expect(await views()).toEqual({ user: 'ada', views: 1 });
    const copy = newVisitor(url, visitor.cookies);
    expect((await visitor.post('/logout')).status).toBe(204);
    expect(JSON.parse((await copy.get('/')).text)).toEqual({ user: null, views: 1 });
  });

  it('takes along nothing of the service, and no dependency', async () => {
    const files = (await readdir(join(PROJECT, 'riptide'), { recursive: true })).filter((file) => file.endsWith('.js'));
    const paths = files.map((file) => join(PROJECT, 'riptide', file));
    const imported = (await Promise.all(paths.map((path) => readFile(path, 'utf8')))).flatMap((code) =>
      Array.from(code.matchAll(/^import .*?from "([^"]+)"|^import "([^"]+)"/gm), ([, a, b]) => a ?? b ?? ''),
    );
    expect(imported.filter((name) => !/^\.|^(?:node:)?crypto$/.test(name))).toEqual([]);
    const bytes = (await Promise.all(paths.map((path) => stat(path)))).reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeLessThan(600 * 1024);
  });
});
