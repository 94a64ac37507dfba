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

export interface Verdict {
  readonly allowed: boolean;
  /** Place of the statement that decided, from 0; null: none speaks, and `default` decides. */
  readonly statement: number | null;
}

/** Whether the policies allow it, and which statement says so: the first that denies, else the first that allows. */
export function judge(policies: PolicySet | null, access: Access): Verdict {
  let verdict: Verdict = { allowed: policies === null || policies.default === 'allow', statement: null };
  for (const [place, statement] of (policies?.statements ?? []).entries()) {
    if (!speaks(statement, access)) continue;
    if (statement.effect === 'deny') return { allowed: false, statement: place };
    if (verdict.statement === null) verdict = { allowed: true, statement: place };
  }
  return verdict;
}

/** Whether the policies allow it; where there are none, they do. */
export const allows = (policies: PolicySet | null, access: Access): boolean => judge(policies, access).allowed;

/**
 * Whether the policies allow it for every resource that begins with `access.resource`: none that denies may speak of any of
 * them, and where they must be allowed one statement allows them all.
 */
export function allowsBelow(policies: PolicySet | null, access: Access): boolean {
  const { action, resource, keyId } = access;
  const denied = policies?.statements.some(
    ({ effect, actions, resources, keys }) =>
      effect === 'deny' &&
      (keys === undefined || keys.includes(keyId)) &&
      actions.some((pattern) => matches(pattern, action)) &&
      resources.some((pattern) => overlaps(pattern, resource)),
  );
  // Only a pattern that ends in a star matches it with a star behind it, and such a one matches all that begin with it.
  return !denied && allows(policies, { ...access, resource: `${resource}*` });
}

/** Whether the pattern matches anything that begins with the prefix. */
function overlaps(pattern: string, prefix: string): boolean {
  const [literal = '', ...rest] = pattern.split('*');
  return literal.startsWith(prefix) || (rest.length > 0 && prefix.startsWith(literal));
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
