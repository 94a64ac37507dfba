/** Lays the sources over each other and reads the result, collecting every problem on the way. */
import type { Issue } from '../errors.ts';
import type { Config } from './config.ts';
import { contradictions } from './cross-checks.ts';
import { aliasLayer, type Environment, unknownVariables, variableLayer } from './environment-layer.ts';
import { isDeliberate, type Layer, ORIGINS, overlay, type Profile, profileLayer, type Stated } from './layer.ts';
import { ConfigSchema, SETTINGS, type StatedConfig } from './schema.ts';

export interface ConfigSources {
  /** `process.env`, or a plain object in tests. */
  readonly env: Environment;
  /** Reads the file that RIPTIDE_CONFIG names; not called when it names none. */
  readonly readFile: (path: string) => string | Promise<string>;
  /** What a version of the configuration states (lib/runtime-config): as the file does, but later; and above everything. */
  readonly versioned?: { readonly file: Layer; readonly above: Layer };
}

export interface ResolvedConfig {
  /** Undefined when there are issues. */
  readonly config: Config | undefined;
  /** Every problem, none of the values. */
  readonly issues: readonly Issue[];
  /** Settings that were made and cannot apply, with the reason; found when they are asked for. */
  readonly notes: () => Promise<readonly string[]>;
  /** What was written and where, by path. */
  readonly layer: Layer;
}

/** Stands in for a required setting while the others are checked against each other; such a configuration is never returned. */
const PLACEHOLDER: Stated = { raw: '0'.repeat(64), origin: { kind: 'default', name: 'default' } };

/** Compiling the schema's fast path takes 10 ms, and it would run once. */
const ONCE = { jitless: true };

/**
 * Order: profile < file < a version's files < aliases < PERSISTENCE_<GROUP>_<NAME> < what a version sets itself. Never throws for
 * what is written in its sources.
 */
export async function resolveConfig(sources: ConfigSources): Promise<ResolvedConfig> {
  const issues: Issue[] = await unknownVariables(sources.env);
  const profile = readProfile(sources.env, issues);
  const defaults = profileLayer(profile);
  const file = await readFileLayer(sources, issues);
  const { versioned = { file: new Map(), above: new Map() } } = sources;
  const environment = [aliasLayer(sources.env), variableLayer(sources.env, issues)];
  const layer = overlay([defaults, file, versioned.file, ...environment, versioned.above]);
  const read = readValues(layer, defaults);
  issues.push(...read.issues);
  const config = derive(read.values, profile, layer);
  const bad = new Set(issues.map(({ field }) => field));
  issues.push(...contradictions(config, layer, bad));
  const notes = async () => (await import('./notes.ts')).notes(config, layer);
  return { config: issues.length === 0 ? config : undefined, issues, notes, layer };
}

function readProfile(env: Environment, issues: Issue[]): Profile {
  const profile = env.RIPTIDE_PROFILE?.trim() || 'default';
  if (profile === 'default' || profile === 'production') return profile;
  issues.push({ field: 'RIPTIDE_PROFILE', message: 'expected default or production' });
  return 'default';
}

async function readFileLayer({ env, readFile }: ConfigSources, issues: Issue[]): Promise<Layer> {
  const path = env.RIPTIDE_CONFIG?.trim() ?? '';
  if (path === '') return new Map();
  const text = await readText(path, readFile, issues);
  if (text === undefined) return new Map();
  const { fileLayer } = await import('./file-layer.ts');
  return fileLayer({ text, name: fileName(path) }, env, issues);
}

async function readText(
  path: string,
  readFile: ConfigSources['readFile'],
  issues: Issue[],
): Promise<string | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException | null)?.code ?? 'it failed';
    issues.push({ field: 'RIPTIDE_CONFIG', message: `the file it names cannot be read (${reason})` });
    return undefined;
  }
}

/** The last part of a path, when it is fit to be shown. */
function fileName(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /^[\w. -]{1,100}$/.test(name) ? name : 'the configuration file';
}

/** Reads all values; where some are bad, the profile's stand in for them so that the others can still be compared. */
function readValues(layer: Layer, defaults: Layer): { values: StatedConfig; issues: Issue[] } {
  const first = ConfigSchema.safeParse(nested(layer), ONCE);
  if (first.success) return { values: first.data, issues: [] };
  const bad = first.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  const repaired = overlay([layer, new Map(bad.map(({ field }) => [field, defaults.get(field) ?? PLACEHOLDER]))]);
  return { values: ConfigSchema.parse(nested(repaired), ONCE), issues: bad.map((issue) => explain(issue, layer)) };
}

function explain({ field, message }: Issue, layer: Layer): Issue {
  const stated = layer.get(field);
  if (stated !== undefined) return { field, message: `${message}; set by ${stated.origin.name}` };
  const variable = SETTINGS.find(({ path }) => path === field)?.variable;
  return { field, message: `required, ${message}; set ${variable}` };
}

/** `{ cache: { version: 'v1' }, tenant: { default_quotas: { … } } }`: only known paths, so no name can reach a prototype. */
function nested(layer: Layer): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { path } of SETTINGS) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    const parent = names.reduce(child, root);
    parent[last] = layer.get(path)?.raw;
  }
  return root;
}

function child(node: Record<string, unknown>, name: string): Record<string, unknown> {
  node[name] ??= {};
  return node[name] as Record<string, unknown>;
}

function derive(values: StatedConfig, profile: Profile, layer: Layer): Config {
  const transport = transportOf(layer);
  const provider = providerOf(values, layer);
  const { sessionTimeoutMs, sessionMaxLifetimeMs, sessionMaxBytes, ...state } = values.state;
  return Object.freeze({
    ...values,
    profile,
    state: Object.freeze(state),
    sessions: Object.freeze({
      timeoutMs: sessionTimeoutMs,
      maxLifetimeMs: sessionMaxLifetimeMs,
      maxBytes: sessionMaxBytes,
    }),
    redis: Object.freeze({ ...values.redis, transport }),
    encryption: Object.freeze({ ...values.encryption, provider }),
  });
}

/** REST when its URL is set, unless the TCP URL comes from a stronger source: PERSISTENCE_REDIS_URL beats an alias. */
function transportOf(layer: Layer): 'rest' | 'tcp' {
  const [rest, tcp] = [layer.get('redis.rest_url'), layer.get('redis.url')];
  if (!isDeliberate(rest) || rest.raw === '') return 'tcp';
  return isDeliberate(tcp) && strength(tcp) > strength(rest) ? 'tcp' : 'rest';
}

/** Where nothing names it, the one whose key is set; both being set is a contradiction (cross-checks.ts). */
function providerOf({ encryption }: StatedConfig, layer: Layer): Config['encryption']['provider'] {
  if (isDeliberate(layer.get('encryption.provider'))) return encryption.provider;
  if (encryption.masterKeyFile !== '') return 'local';
  return encryption.kmsKeyId === '' ? 'none' : 'kms';
}

function strength({ origin }: Stated): number {
  return ORIGINS.indexOf(origin.kind);
}
