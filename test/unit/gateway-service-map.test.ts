import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readServiceMap } from '../../infra/local/service-map.ts';

const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

/** A service with one handler file, and `functions` written as given. */
async function writeService(functions: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'riptide-map-'));
  dirs.push(dir);
  await writeFile(join(dir, 'answer.ts'), 'export const handler = async () => ({ statusCode: 200 });');
  await writeFile(join(dir, 'functions.yml'), functions);
  const file = join(dir, 'serverless.yml');
  await writeFile(file, `service: x\nprovider: { timeout: 29, memorySize: 512 }\nfunctions: \${file(functions.yml)}\n`);
  return file;
}

const one = (event: string, fields = '') => `f: { handler: answer.handler, ${fields} events: [ ${event} ] }`;

describe('the map of serverless.yml [A14]', () => {
  it.each([
    ['httpApi: "GET /a/{b+}"', { method: 'GET', path: '/a/{b+}' }],
    ['httpApi: { method: get, path: /a }', { method: 'GET', path: '/a' }],
    ["httpApi: '* /a'", { method: 'ANY', path: '/a' }],
    ["httpApi: '*'", { method: 'ANY', path: '$default' }],
  ])('reads the route %s', async (event, expected) => {
    const { routes } = await readServiceMap(await writeService(one(event)));
    expect(routes).toEqual([expect.objectContaining(expected)]);
  });

  it('takes the endpoints one by one, where they share a function when deployed', async () => {
    const file = await writeService(one('httpApi: GET /a'));
    await writeFile(file, `functions: x\ncustom: { endpoints: "\${file(functions.yml)}" }\n`);
    const { routes } = await readServiceMap(file);
    expect(routes).toEqual([expect.objectContaining({ method: 'GET', path: '/a' })]);
  });

  it('takes time and memory from the function, else from the provider', async () => {
    const own = await readServiceMap(await writeService(one('httpApi: GET /a', 'timeout: 5,')));
    expect(own.routes[0]?.function).toMatchObject({ name: 'f', exportName: 'handler', timeoutMs: 5000, memoryMb: 512 });
    const inherited = await readServiceMap(await writeService(one('httpApi: GET /a')));
    expect(inherited.routes[0]?.function.timeoutMs).toBe(29_000);
  });

  it('reads every rate of a schedule, and leaves out those switched off', async () => {
    const schedules =
      '{ schedule: { rate: [rate(5 minutes), cron(0 3 * * ? *)], input: { a: 1 } } }, { schedule: { rate: rate(1 day), enabled: false } }';
    const map = await readServiceMap(await writeService(one(schedules)));
    expect(map.schedules).toHaveLength(2);
    expect(map.schedules[0]).toMatchObject({ name: 'f', expression: { everyMs: 300_000 }, input: { a: 1 } });
  });

  it.each([
    ['an event of another kind', one('sqs: arn'), /kind "sqs"/],
    ['a handler without a file', 'f: { handler: missing.handler }', /no file for the handler/],
    ['a route that is none', one('httpApi: FETCH /a'), /not a route/],
    ['a variable for a number', one('httpApi: GET /a', `timeout: '\${param:t}',`), /expected a number/],
    ['a schedule it cannot run', one('schedule: often'), /Not a schedule/],
    ['a schedule field it does not know', one('schedule: { rate: rate(1 day), timezone: X }'), /"timezone"/],
  ])('refuses %s', async (_what, functions, message) => {
    await expect(readServiceMap(await writeService(functions))).rejects.toThrow(message);
  });
});
