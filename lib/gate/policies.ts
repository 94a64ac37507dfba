/**
 * A tenant's own access policies: which keys may do what to which resource. Pure.
 *
 * A statement speaks when one of its actions, one of its resources and, if it names keys, the calling key match. One that
 * denies beats all that allow; where none speaks, `default` decides. Scopes of the key are asked besides, by the gate.
 */

export interface PolicyStatement {
  readonly effect: 'allow' | 'deny';
  /** As scopes: `cache:read`, `cache:*`, `*`. */
  readonly actions: readonly string[];
  /** As `cache/orders/*`. `*` stands for any characters, also none, also `/`. */
  readonly resources: readonly string[];
  /** Key ids; absent: every key. */
  readonly keys?: readonly string[] | undefined;
}

export interface PolicySet {
  readonly default: 'allow' | 'deny';
  readonly statements: readonly PolicyStatement[];
}

export interface Access {
  readonly keyId: string;
  readonly action: string;
  readonly resource: string;
}

/** Whether the policies allow it; none do. */
export function allows(policies: PolicySet | null, access: Access): boolean {
  if (policies === null) return true;
  let verdict = policies.default === 'allow';
  for (const statement of policies.statements) {
    if (!speaks(statement, access)) continue;
    if (statement.effect === 'deny') return false;
    verdict = true;
  }
  return verdict;
}

const speaks = ({ actions, resources, keys }: PolicyStatement, { action, resource, keyId }: Access) =>
  (keys === undefined || keys.includes(keyId)) &&
  actions.some((pattern) => matches(pattern, action)) &&
  resources.some((pattern) => matches(pattern, resource));

/**
 * Whether `text` is what `pattern` says; `*` stands for any characters. The pieces between stars are looked for one after
 * the other: no backtracking, whatever the pattern.
 */
export function matches(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0] as string;
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1) as string;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
