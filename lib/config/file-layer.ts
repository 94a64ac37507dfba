/** Reads persistence.yml. Loaded only when a file is named: the YAML parser would cost every cold start. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { Issue } from '../errors.ts';
import type { Environment } from './environment-layer.ts';
import type { Layer, Stated } from './layer.ts';
import { SETTINGS } from './schema.ts';
import { substitute } from './substitution.ts';
import { didYouMean } from './suggestion.ts';
import type { RawValue } from './value-types.ts';

const ROOT = 'persistence';
const LONGEST_FILE = 262_144;
const PATHS = SETTINGS.map(({ path }) => path);
const GROUPS = [...new Set(PATHS.map((path) => path.slice(0, path.lastIndexOf('.'))))];

interface Walk {
  readonly document: Document.Parsed;
  readonly env: Environment;
  readonly issues: Issue[];
  readonly layer: Map<string, Stated>;
  /** `persistence.yml:12`, of a node. */
  at(node: unknown): string;
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
  walkRoot({ document, env, issues, layer, at });
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
  if (!isMap(root)) return refuse(walk, walk.at(root), `expected groups below "${ROOT}:"`);
  for (const { key, value } of root.items) {
    if (keyText(key) === ROOT) walkGroup(walk, '', resolve(walk, value), key);
    else refuse(walk, walk.at(key), `expected "${ROOT}:" and the groups below it`);
  }
}

function walkGroup(walk: Walk, prefix: string, node: unknown, parent: unknown): void {
  if (isNothing(node)) return;
  if (!isMap(node))
    return refuse(walk, prefix || ROOT, `expected names and values below it; set by ${walk.at(parent)}`);
  for (const { key, value } of node.items) {
    const path = prefix === '' ? keyText(key) : `${prefix}.${keyText(key)}`;
    if (PATHS.includes(path)) walkSetting(walk, path, resolve(walk, value), key);
    else if (GROUPS.includes(path)) walkGroup(walk, path, resolve(walk, value), key);
    else refuse(walk, walk.at(key), `no such setting: ${presentable(path)}${didYouMean(path, [...PATHS, ...GROUPS])}`);
  }
}

function walkSetting(walk: Walk, path: string, node: unknown, key: unknown): void {
  const items = isSeq(node) ? node.items.map((item) => resolve(walk, item)) : [node];
  const name = walk.at(key);
  if (!items.every((item) => isScalar(item) || isNothing(item)))
    return refuse(walk, path, `expected a value; set by ${name}`);
  const texts = items.map((item) => substitute(scalarText(item), walk.env));
  const problem = texts.find((text) => 'problem' in text);
  if (problem !== undefined) return refuse(walk, path, `${problem.problem}; set by ${name}`);
  const read = texts.map((text) => ('text' in text ? text.text : ''));
  const raw: RawValue = isSeq(node) ? read : (read[0] ?? '');
  walk.layer.set(path, { raw, origin: { kind: 'file', name } });
}

function refuse(walk: Walk, field: string, message: string): void {
  walk.issues.push({ field, message });
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
