/** Reads the environment: aliases, then `PERSISTENCE_<GROUP>_<NAME>`. An empty variable counts as not set. */
import type { Issue } from '../errors.ts';
import type { Layer, OriginKind, Stated } from './layer.ts';
import { SETTINGS, variableName } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'PERSISTENCE_';
const QUOTAS = 'tenant.default_quotas';
/** All four quotas in one variable, as a JSON object. Weaker than a quota's own variable. */
const QUOTAS_VARIABLE = variableName(QUOTAS);
const KNOWN = [...SETTINGS.flatMap(({ variable, aliases = [] }) => [variable, ...aliases]), QUOTAS_VARIABLE].filter(
  (name) => name.startsWith(PREFIX),
);

/** Settings made through their other names; of two, the one listed later wins. */
export function aliasLayer(env: Environment): Layer {
  return new Map(
    SETTINGS.flatMap(({ path, aliases = [] }) =>
      aliases.flatMap((alias) => entry({ env, path, variable: alias, kind: 'alias' })),
    ),
  );
}

/** Settings made through their own variables. Problems go to `issues`. */
export function variableLayer(env: Environment, issues: Issue[]): Layer {
  const own = SETTINGS.flatMap(({ path, variable }) => entry({ env, path, variable, kind: 'variable' }));
  return new Map([...quotaEntries(env, issues), ...own]);
}

/** `PERSISTENCE_` variables that set nothing: a typing error must not pass silently. */
export async function unknownVariables(env: Environment): Promise<Issue[]> {
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !KNOWN.includes(name) && !isEmpty(env[name]),
  );
  if (unknown.length === 0) return [];
  const { didYouMean } = await import('./suggestion.ts');
  return unknown.map((name) => ({ field: presentable(name), message: `no such setting${didYouMean(name, KNOWN)}` }));
}

function entry(from: { env: Environment; path: string; variable: string; kind: OriginKind }): [string, Stated][] {
  const raw = Object.hasOwn(from.env, from.variable) ? from.env[from.variable] : undefined;
  if (raw === undefined || isEmpty(raw)) return [];
  return [[from.path, { raw, origin: { kind: from.kind, name: from.variable } }]];
}

function quotaEntries(env: Environment, issues: Issue[]): [string, Stated][] {
  const [[, stated] = []] = entry({ env, path: QUOTAS, variable: QUOTAS_VARIABLE, kind: 'variable' });
  if (stated === undefined) return [];
  const quotas = parseObject(String(stated.raw));
  const known = (name: string) => SETTINGS.some(({ path }) => path === `${QUOTAS}.${name}`);
  if (quotas === undefined || !Object.keys(quotas).every(known)) {
    issues.push({
      field: QUOTAS,
      message: `expected a JSON object of quotas, as {"memory_bytes":104857600}; set by ${QUOTAS_VARIABLE}`,
    });
    return [];
  }
  return Object.entries(quotas).map(([name, value]) => [`${QUOTAS}.${name}`, { ...stated, raw: String(value) }]);
}

function parseObject(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // reported by the caller, without the text
  }
}

function isEmpty(raw: string | undefined): boolean {
  return raw === undefined || raw.trim() === '';
}

/** A variable's name as it may be shown: whatever else stands there is not repeated. */
function presentable(name: string): string {
  return /^\w{1,100}$/.test(name) ? name : `${PREFIX}…`;
}
