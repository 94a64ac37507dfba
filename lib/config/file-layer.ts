/** Reads persistence.yml. Loaded only when a file is named: the YAML parser would cost every cold start. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { Issue } from '../errors.ts';
import type { Environment } from './environment-layer.ts';
import type { Layer, Stated } from './layer.ts';
import { SETTINGS } from './schema.ts';
import { substitute } from './substitution.ts';
import { didYouMean } from './suggestion.ts';
import type { RawValue } from './value-types.ts';

const ROOT = 'persistence';
const LONGEST_FILE = 262_144;
/** Of a structured setting: levels, and nodes in all, which aliases could multiply. */
const DEEPEST = 8;
const MOST_NODES = 10_000;
const PATHS = SETTINGS.map(({ path }) => path);
const GROUPS = [...new Set(PATHS.map((path) => path.slice(0, path.lastIndexOf('.'))))];

interface Walk {
  readonly document: Document.Parsed;
  readonly env: Environment;
  readonly layer: Map<string, Stated>;
  /** `persistence.yml:12`, of a node. */
  at(node: unknown): string;
  refuse(field: string, message: string): void;
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
  const lines = new LineCounter();
  const document = parse(file.text, lines);
  if (document === undefined || document.errors.length > 0) {
    issues.push(...syntaxIssues(document, lines, file.name));
    return layer;
  }
  const at = (node: unknown) => `${file.name}:${lines.linePos(offset(node)).line}`;
  walkRoot({ document, env, layer, at, refuse: (field, message) => issues.push({ field, message }) });
  return layer;
}

/** Failsafe: every scalar is text, so no digit of a number-like token is lost, and no tag makes an object. */
function parse(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, { schema: 'failsafe', prettyErrors: false, lineCounter, logLevel: 'silent' });
  } catch {
    return undefined; // nested deeper than the parser's stack
  }
}

function syntaxIssues(document: Document.Parsed | undefined, lines: LineCounter, name: string): Issue[] {
  if (document === undefined) return [{ field: name, message: 'not valid YAML: nested too deep' }];
  return document.errors.map(({ code, pos }) => ({
    field: `${name}:${lines.linePos(pos[0]).line}`,
    message: `not valid YAML: ${code.toLowerCase().replaceAll('_', ' ')}`,
  }));
}

function walkRoot(walk: Walk): void {
  const root = resolve(walk, walk.document.contents);
  if (isNothing(root)) return;
  if (!isMap(root)) walk.refuse(walk.at(root), `expected groups below "${ROOT}:"`);
  for (const { key, value } of isMap(root) ? root.items : []) {
    if (keyText(key) === ROOT) walkGroup(walk, { path: '', node: resolve(walk, value), key });
    else walk.refuse(walk.at(key), `expected "${ROOT}:" and the groups below it`);
  }
}

function walkGroup(walk: Walk, { path: prefix, node, key: parent }: Place): void {
  if (isNothing(node)) return;
  if (!isMap(node)) walk.refuse(prefix || ROOT, `expected names and values below it; set by ${walk.at(parent)}`);
  for (const { key, value } of isMap(node) ? node.items : []) {
    const path = prefix === '' ? keyText(key) : `${prefix}.${keyText(key)}`;
    const place = { path, node: resolve(walk, value), key };
    if (PATHS.includes(path)) walkSetting(walk, place);
    else if (GROUPS.includes(path)) walkGroup(walk, place);
    else walk.refuse(walk.at(key), `no such setting: ${presentable(path)}${didYouMean(path, [...PATHS, ...GROUPS])}`);
  }
}

function walkSetting(walk: Walk, { path, node, key }: Place): void {
  const name = walk.at(key);
  const structured = SETTINGS.some((setting) => setting.path === path && setting.structured === true);
  const read = structured && !isScalar(node) ? readStructure(walk, node) : readValue(walk, node);
  if (typeof read === 'object' && 'problem' in read) walk.refuse(path, `${read.problem}; set by ${name}`);
  else walk.layer.set(path, { raw: read, origin: { kind: 'file', name } });
}

/** A scalar as text or a sequence as texts, placeholders replaced. */
function readValue(walk: Walk, node: unknown): RawValue | { readonly problem: string } {
  const items = isSeq(node) ? node.items.map((item) => resolve(walk, item)) : [node];
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
    const value = resolve(walk, at);
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

/** What an alias stands for; an alias without its anchor stays one, and is refused where it stands. */
function resolve(walk: Walk, node: unknown): unknown {
  return isAlias(node) ? (node.resolve(walk.document) ?? node) : node;
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

function offset(node: unknown): number {
  return (node as ParsedNode | null)?.range?.[0] ?? 0;
}

/** A path as it may be shown: whatever else stands there is not repeated. */
function presentable(path: string): string {
  return /^[\w.-]{1,100}$/.test(path) ? path : 'a name that cannot be shown';
}
