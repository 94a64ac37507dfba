import { describe, expect, it } from 'vitest';
import { deployedFunctions, serverlessFunctions } from '../../infra/build/deployed-functions.ts';
import { type FunctionEntry, functionKey } from '../../infra/build/function-list.ts';

const READER = { role: 'DataReaderRole' };
const WRITER = { role: 'DataWriterRole' };

function endpoint(file: string, httpApi: string, more: Partial<FunctionEntry> = {}): FunctionEntry {
  const source = `functions/${file}.ts`;
  return { key: functionKey(source), source, events: [{ httpApi }], own: false, settings: READER, ...more };
}

const list = endpoint('render-sessions/list-sessions', 'GET /render');
const get = endpoint('render-sessions/get-session', 'GET /render/{id}');
const put = endpoint('render-sessions/put-session', 'PUT /render/{id}', { settings: WRITER });
const keysOf = (entries: readonly FunctionEntry[]) => deployedFunctions(entries).map(({ key }) => key);

describe('the functions that are deployed [A14]', () => {
  it('are one for the endpoints of an area and role: no function may do more than each of its endpoints', () => {
    const functions = deployedFunctions([list, put, get]);
    expect(functions.map(({ key, endpoints }) => [key, endpoints])).toEqual([
      ['renderSessionsReader', [list, get]],
      ['renderSessionsWriter', [put]],
    ]);
    expect(functions[0]?.entry).toEqual({
      routes: { 'GET /render': list.source, 'GET /render/{id}': get.source },
    });
  });

  it('do not become more with another endpoint', () => {
    expect(keysOf([list, get, endpoint('render-sessions/head-session', 'HEAD /render/{id}')])).toEqual(keysOf([list]));
  });

  it('are never shared across areas', () => {
    expect(keysOf([list, endpoint('sessions/list-sessions', 'GET /sessions')])).toEqual([
      'renderSessionsReader',
      'sessionsReader',
    ]);
  });

  it.each<[string, Partial<FunctionEntry>]>([
    ['that asks for it', { own: true }],
    ['with a timeout of its own', { settings: { ...READER, timeout: 5 } }],
    ['that takes what no route does', { events: [{ httpApi: '*' }] }],
    ['that runs by the clock', { events: [{ schedule: { rate: ['rate(1 day)'] } }] }],
  ])('are an own one for an entry %s', (_what, more) => {
    const alone = endpoint('render-sessions/get-session', 'GET /render/{id}', more);
    expect(deployedFunctions([list, alone])[1]).toMatchObject({
      key: 'renderSessionsGetSession',
      entry: { source: alone.source },
    });
  });

  it('keep routes, role and settings for the Serverless Framework, and nothing that it does not know', () => {
    const slow = endpoint('a/b', 'GET /b', { own: true, settings: { ...READER, timeout: 5 } });
    expect(serverlessFunctions([list, get, slow])).toEqual({
      renderSessionsReader: { handler: 'index.handler', ...READER, events: [...list.events, ...get.events] },
      aB: { handler: 'index.handler', role: 'DataReaderRole', timeout: 5, events: slow.events },
    });
  });
});
