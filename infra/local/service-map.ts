/** What serverless.yml declares, as the local host needs it: routes and schedules. Read without the serverless CLI. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { RoutePattern } from './gateway-route.ts';
import type { LocalFunction } from './host/invoke.ts';
import { parseSchedule } from './schedule-expression.ts';
import type { Schedule } from './schedules.ts';

export interface RouteEntry extends RoutePattern {
  readonly function: LocalFunction;
}

export interface ScheduleEntry extends Schedule {
  readonly function: LocalFunction;
}

export interface ServiceMap {
  readonly routes: readonly RouteEntry[];
  readonly schedules: readonly ScheduleEntry[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What serverless takes when nothing is said. */
const DEFAULT_TIMEOUT_SECONDS = 6;
const DEFAULT_MEMORY_MB = 1024;

/**
 * Reads `file` (serverless.yml) and the files its `functions` name. Where several endpoints share a function when deployed,
 * `custom.endpoints` has them one by one, and they are taken from there.
 * @throws {Error} anything it does not understand: an event of another kind, a handler without a file, a variable.
 */
export async function readServiceMap(file: string): Promise<ServiceMap> {
  const service = asFields(parse(await readFile(file, 'utf8')), file);
  const root = dirname(resolve(file));
  const defaults = asFields(service.provider ?? {}, 'provider');
  const routes: RouteEntry[] = [];
  const schedules: ScheduleEntry[] = [];
  for (const [name, declared] of Object.entries(await readFunctions(declaredOf(service), root))) {
    const fields: Fields = { ...pick(defaults, ['timeout', 'memorySize']), ...asFields(declared, name) };
    const entry = readFunction(name, fields, root);
    for (const event of asList(fields.events ?? [], `${name}.events`)) {
      const { httpApi, schedule, ...others } = asFields(event, `${name}.events`);
      const unknown = Object.keys(others)[0];
      if (unknown !== undefined)
        throw new Error(`Function ${name}: events of kind "${unknown}" are not served locally`);
      if (httpApi !== undefined) routes.push({ ...readRoute(httpApi, name), function: entry });
      if (schedule !== undefined) schedules.push(...readSchedules(schedule, entry));
    }
  }
  return { routes, schedules };
}

const declaredOf = ({ custom, functions }: Fields): unknown => asFields(custom ?? {}, 'custom').endpoints ?? functions;

/** `functions` is a map, or a `${file(…)}` that names one, or a list of both. */
async function readFunctions(declared: unknown, root: string): Promise<Fields> {
  if (Array.isArray(declared)) {
    const maps = await Promise.all(declared.map((part) => readFunctions(part, root)));
    return Object.assign({}, ...maps);
  }
  if (typeof declared !== 'string') return asFields(declared ?? {}, 'functions');
  const included = /^\$\{file\(([^)]+)\)\}$/.exec(declared)?.[1];
  if (included === undefined) throw new Error(`functions: "${declared}" is not read locally; write \${file(path)}`);
  return asFields(parse(await readFile(resolve(root, included), 'utf8')) ?? {}, included);
}

function readFunction(name: string, fields: Fields, root: string): LocalFunction {
  const handler = /^(.+)\.(\w+)$/.exec(String(fields.handler));
  const [, path = '', exportName = ''] = handler ?? [];
  const file = ['.ts', '.mjs', '.js']
    .map((ending) => resolve(root, path + ending))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) throw new Error(`Function ${name}: no file for the handler "${String(fields.handler)}"`);
  return {
    name,
    file,
    exportName,
    timeoutMs: asNumber(fields.timeout ?? DEFAULT_TIMEOUT_SECONDS, `${name}.timeout`) * 1000,
    memoryMb: asNumber(fields.memorySize ?? DEFAULT_MEMORY_MB, `${name}.memorySize`),
  };
}

const METHODS = new Set(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

/** `GET /path`, `* /path`, `*`, or `{ method, path }`. */
function readRoute(declared: unknown, name: string): RoutePattern {
  if (declared === '*') return { method: 'ANY', path: '$default' };
  const [method = '', path = ''] =
    typeof declared === 'string'
      ? declared.split(' ')
      : [asFields(declared, name).method, asFields(declared, name).path].map(String);
  const known = method === '*' ? 'ANY' : method.toUpperCase();
  if (!METHODS.has(known) || !path.startsWith('/'))
    throw new Error(`Function ${name}: not a route: ${JSON.stringify(declared)}`);
  return { method: known, path };
}

/** `rate(…)`, or `{ rate: expression or list of them, input?, enabled? }`. */
function readSchedules(declared: unknown, entry: LocalFunction): ScheduleEntry[] {
  const fields = typeof declared === 'string' ? { rate: declared } : asFields(declared, entry.name);
  const { rate, input, enabled = true, name: _name, description: _description, ...others } = fields as Fields;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw new Error(`Function ${entry.name}: "${unknown}" of a schedule is not understood locally`);
  if (enabled === false) return [];
  const rates = Array.isArray(rate) ? rate : [rate];
  return rates.map((text) => ({
    name: entry.name,
    expression: parseSchedule(String(text)),
    function: entry,
    ...(input === undefined ? {} : { input }),
  }));
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
}

function asFields(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${where}: expected names and values`);
}

function asList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${where}: expected a list`);
}

function asNumber(value: unknown, where: string): number {
  if (typeof value === 'number') return value;
  throw new Error(`${where}: expected a number, not ${JSON.stringify(value)}`);
}
