/** Reads persistence.yml. Loaded only when a file is named: the YAML parser would cost every cold start. */
import { isMap, isScalar, isSeq } from 'yaml';
import type { Issue } from '../errors.ts';
import type { Environment } from './environment-layer.ts';
import type { Layer, Stated } from './layer.ts';
import { SETTINGS } from './schema.ts';
import { substitute } from './substitution.ts';
import { didYouMean } from './suggestion.ts';
import type { RawValue } from './value-types.ts';
import { readYaml, type YamlFile } from './yaml-document.ts';

const ROOT = 'persistence';
const LONGEST_FILE = 262_144;
/** More problems are not told: they have one cause, and each takes time. */
const MOST_ISSUES = 100;
/** Of a structured setting: levels, and nodes in all, which aliases could multiply. */
const DEEPEST = 8;
const MOST_NODES = 10_000;
const PATHS = SETTINGS.map(({ path }) => path);
const GROUPS = [...new Set(PATHS.map((path) => path.slice(0, path.lastIndexOf('.'))))];

interface Walk {
  readonly file: YamlFile;
  readonly env: Environment;
  readonly layer: Map<string, Stated>;
  refuse(field: string, message: string): void;
  /** Whether so much is wrong that no more is looked for. */
  isFull(): boolean;
}

/** A node with the path it stands at, and the key that names it. */
interface Place {
  readonly path: string;
  readonly node: unknown;
  readonly key: unknown;
}

/**
 * The settings a file makes. Problems go to `issues`, each with its line; none of the file's values is repeated.
 * @param file its text, and a name to show.
 */
export function fileLayer(file: { text: string; name: string }, env: Environment, issues: Issue[]): Layer {
  const layer = new Map<string, Stated>();
  if (file.text.length > LONGEST_FILE) {
    issues.push({ field: file.name, message: `expected at most ${LONGEST_FILE} characters` });
    return layer;
  }
  const read = readYaml(file);
  if (Array.isArray(read)) {
    issues.push(...read.slice(0, MOST_ISSUES));
    return layer;
  }
  const found: Issue[] = [];
  const refuse = (field: string, message: string) => void found.push({ field, message });
  walkRoot({ file: read, env, layer, refuse, isFull: () => found.length >= MOST_ISSUES });
  issues.push(...found);
  return layer;
}

function walkRoot(walk: Walk): void {
  const root = walk.file.resolve(walk.file.contents);
  if (isNothing(root)) return;
  if (!isMap(root)) walk.refuse(walk.file.at(root), `expected groups below "${ROOT}:"`);
  for (const { key, value } of isMap(root) ? root.items : []) {
    if (walk.isFull()) return;
    if (keyText(key) === ROOT) walkGroup(walk, { path: '', node: walk.file.resolve(value), key });
    else walk.refuse(walk.file.at(key), `expected "${ROOT}:" and the groups below it`);
  }
}

function walkGroup(walk: Walk, { path: prefix, node, key: parent }: Place): void {
  if (isNothing(node)) return;
  if (!isMap(node)) walk.refuse(prefix || ROOT, `expected names and values below it; set by ${walk.file.at(parent)}`);
  for (const { key, value } of isMap(node) ? node.items : []) {
    if (walk.isFull()) return;
    const path = prefix === '' ? keyText(key) : `${prefix}.${keyText(key)}`;
    const place = { path, node: walk.file.resolve(value), key };
    if (PATHS.includes(path)) walkSetting(walk, place);
    else if (GROUPS.includes(path)) walkGroup(walk, place);
    else
      walk.refuse(walk.file.at(key), `no such setting: ${presentable(path)}${didYouMean(path, [...PATHS, ...GROUPS])}`);
  }
}

function walkSetting(walk: Walk, { path, node, key }: Place): void {
  const name = walk.file.at(key);
  const structured = SETTINGS.some((setting) => setting.path === path && setting.structured === true);
  const read = structured && !isScalar(node) ? readStructure(walk, node) : readValue(walk, node);
  if (typeof read === 'object' && 'problem' in read) walk.refuse(path, `${read.problem}; set by ${name}`);
  else walk.layer.set(path, { raw: read, origin: { kind: 'file', name } });
}

/** A scalar as text or a sequence as texts, placeholders replaced. */
function readValue(walk: Walk, node: unknown): RawValue | { readonly problem: string } {
  const items = isSeq(node) ? node.items.map((item) => walk.file.resolve(item)) : [node];
  if (!items.every((item) => isScalar(item) || isNothing(item))) return { problem: 'expected a value' };
  const texts: string[] = [];
  for (const item of items) {
    const replaced = substitute(scalarText(item), walk.env);
    if ('problem' in replaced) return replaced;
    texts.push(replaced.text);
  }
  return isSeq(node) ? texts : (texts[0] ?? '');
}

/** Maps and lists as JSON, placeholders replaced; scalars stay text. */
function readStructure(walk: Walk, node: unknown): RawValue | { readonly problem: string } {
  let nodes = 0;
  let problem: string | undefined;
  const plain = (at: unknown, depth: number): unknown => {
    const value = walk.file.resolve(at);
    if (++nodes > MOST_NODES || depth > DEEPEST) problem ??= 'expected less, and less deep';
    if (problem !== undefined) return null;
    if (isSeq(value)) return value.items.map((item) => plain(item, depth + 1));
    if (isMap(value))
      return Object.fromEntries(value.items.map((item) => [keyText(item.key), plain(item.value, depth + 1)]));
    const replaced = substitute(scalarText(value), walk.env);
    if ('problem' in replaced) problem ??= replaced.problem;
    return 'text' in replaced ? replaced.text : null;
  };
  const value = isNothing(node) ? '' : JSON.stringify(plain(node, 0));
  return problem === undefined ? value : { problem };
}

function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && (node.value === '' || node.value === null));
}

function scalarText(node: unknown): string {
  return isScalar(node) ? String(node.value ?? '') : '';
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

/** A path as it may be shown: whatever else stands there is not repeated. */
function presentable(path: string): string {
  return /^[\w.-]{1,100}$/.test(path) ? path : 'a name that cannot be shown';
}
