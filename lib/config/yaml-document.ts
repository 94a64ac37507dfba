/**
 * The YAML of a file. The parser's own look for doubled keys, and its own resolving of aliases, take time that grows with the
 * square of a file's length: both are done here, in one walk. Loaded with it only.
 */
import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { Issue } from '../errors.ts';

export interface YamlFile {
  /** Its root. */
  readonly contents: unknown;
  /** What an alias stands for; one without its anchor stays an alias. Any other node: itself. */
  resolve(node: unknown): unknown;
  /** `persistence.yml:12`, of a node. */
  at(node: unknown): string;
}

/** @returns the file, or what is wrong with it, each with its line and without its text. */
export function readYaml({ text, name }: { readonly text: string; readonly name: string }): YamlFile | Issue[] {
  const lines = new LineCounter();
  const lineAt = (offset: number) => `${name}:${lines.linePos(offset).line}`;
  const at = (node: unknown) => lineAt((isNode(node) ? node.range?.[0] : undefined) ?? 0);
  try {
    const document = parse(text, lines);
    const faults = document.errors.map(({ code, pos }) =>
      issue(lineAt(pos[0]), code.toLowerCase().replaceAll('_', ' ')),
    );
    if (faults.length > 0) return faults;
    const { targets, doubled } = survey(document);
    if (doubled.length > 0) return doubled.map((key) => issue(at(key), 'duplicate key'));
    return { contents: document.contents, resolve: (node) => targets.get(node) ?? node, at };
  } catch {
    // Deeper than the stack of the parser.
    return [issue(name, 'nested too deep')];
  }
}

const issue = (field: string, what: string): Issue => ({ field, message: `not valid YAML: ${what}` });

/**
 * Failsafe: every scalar is text, so no digit of a number-like token is lost, and no tag makes an object. Silent, the parser would
 * pass over a second document.
 */
const parse = (text: string, lineCounter: LineCounter): Document.Parsed =>
  parseDocument(text, { schema: 'failsafe', prettyErrors: false, lineCounter, logLevel: 'error', uniqueKeys: false });

/** What each alias stands for, the last anchor of its name before it; and keys that stand twice in one map. */
function survey(document: Document.Parsed) {
  const anchors = new Map<string, unknown>();
  const targets = new Map<unknown, unknown>();
  const doubled: unknown[] = [];
  visit(document, (_, node) => {
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if (isNode(node) && 'anchor' in node && node.anchor !== undefined) anchors.set(String(node.anchor), node);
    if (isMap(node)) doubled.push(...doubledKeys(node.items.map(({ key }) => key)));
  });
  return { targets, doubled };
}

function doubledKeys(keys: readonly unknown[]): unknown[] {
  const seen = new Set<unknown>();
  return keys.filter((key) => {
    if (!isScalar(key)) return false;
    const isDoubled = seen.has(key.value);
    seen.add(key.value);
    return isDoubled;
  });
}
