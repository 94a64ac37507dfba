import { globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FunctionEntry, functionKey, readFunctionList } from '../../infra/build/function-list.ts';
import { allContracts } from '../../lib/http/contracts.ts';

const root = join(import.meta.dirname, '../..');
const entries = readFunctionList(root);
const sources = globSync('functions/**/*.ts', { cwd: root }).sort();
const events = globSync('events/**/*.json', { cwd: root }).sort();

const areaAndFile = (path: string): string => path.replace(/^(functions|events)\//, '').replace(/\.(ts|json)$/, '');

/** `GET /whoami`, `* `-routes as `$default`, and schedules as `schedule clean-up`. */
function addresses({ source, events }: FunctionEntry): readonly string[] {
  return events.map(({ httpApi }) => {
    if (httpApi === undefined) return `schedule ${source.replace(/^.*\/(.+)\.ts$/, '$1')}`;
    return httpApi === '*' ? '* $default' : httpApi;
  });
}

/** The first two cells of each row of the README's tables that begins with a method, `*` or `schedule`. */
function readmeAddresses(): readonly string[] {
  const rows = readFileSync(join(root, 'README.md'), 'utf8').matchAll(
    /^\| *`?(GET|HEAD|PUT|POST|PATCH|DELETE|\*|schedule)`? *\| *`?([^|`]+?)`? *\|/gm,
  );
  return [...rows].map(([, method, path]) => `${method} ${path}`);
}

describe('a function is known everywhere or nowhere [A14 A15]', () => {
  it('has an entry in functions.yml for each file below functions/, and the other way round', () => {
    expect(entries.map(({ source }) => source).sort()).toEqual(sources);
  });

  it('is named after its area and file', () => {
    expect(entries.map(({ key }) => key)).toEqual(entries.map(({ source }) => functionKey(source)));
  });

  it('has an event below events/ to call it with, and the other way round', () => {
    expect(events.map(areaAndFile).sort()).toEqual(entries.map(({ source }) => areaAndFile(source)).sort());
  });

  it('has a row in the endpoint table of the README, and the other way round', () => {
    expect([...readmeAddresses()].sort()).toEqual(entries.flatMap(addresses).sort());
  });

  it('answers one address, and no other function answers the same', () => {
    const all = entries.flatMap(addresses);
    expect(all).toHaveLength(entries.length);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a contract and its function are one [A14 A15]', () => {
  const httpEntries = entries.filter(({ events }) => /^[A-Z]/.test(events[0]?.httpApi ?? ''));

  it('deploys exactly the routes that have a contract', () => {
    expect(httpEntries.flatMap(addresses).sort()).toEqual(
      allContracts.map(({ method, path }) => `${method} ${path}`).sort(),
    );
  });

  it.each(httpEntries)('$key has the name its file has', (entry) => {
    const contract = allContracts.find(({ method, path }) => addresses(entry)[0] === `${method} ${path}`);
    expect(contract?.name).toBe(functionKey(basename(entry.source)));
  });
});

describe('an event is what API Gateway or the clock sends [A14]', () => {
  it.each(entries)('$key', ({ source, events }) => {
    const event = JSON.parse(
      readFileSync(join(root, source.replace(/^functions/, 'events').replace(/ts$/, 'json')), 'utf8'),
    );
    const [first] = events;
    if (first?.httpApi === undefined) {
      expect(event).toMatchObject({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
      return;
    }
    const routeKey = first.httpApi === '*' ? '$default' : first.httpApi;
    expect(event).toMatchObject({
      version: '2.0',
      routeKey,
      requestContext: { routeKey, http: { path: event.rawPath } },
    });
    if (routeKey !== '$default')
      expect(fillPath(routeKey, event.pathParameters)).toBe(`${event.requestContext.http.method} ${event.rawPath}`);
  });
});

const fillPath = (route: string, params: Record<string, string> = {}): string =>
  route.replace(/\{(\w+)\+?\}/g, (_match, name: string) => String(params[name]));

describe('names [A14]', () => {
  it('keeps the top level to what the map allows', () => {
    const visible = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
    const folders = visible.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const allowed = [
      'functions',
      'lib',
      'test',
      'events',
      'infra',
      'docs',
      'config',
      'node_modules',
      'dist',
      'coverage',
    ];
    expect(folders.filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it('uses kebab-case for every file, and none of the names that say nothing', () => {
    const files = globSync('{functions,lib,infra,test,events}/**/*.{ts,mjs,lua,json,yml}', { cwd: root }).filter(
      (file) => !file.startsWith('test/bench/results/') && !file.startsWith('test/fixtures/'),
    );
    const named = (file: string) => file.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(part));
    const saysNothing = (file: string) => /(^|[/-])(utils?|helpers?|common|misc)\.\w+$|\/index\.\w+$/.test(file);
    expect(files.filter((file) => !named(file) || saysNothing(file))).toEqual([]);
  });
});
