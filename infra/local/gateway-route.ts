/**
 * Finds the route of a request as an HTTP API does: on the decoded path, without tidying it up. A literal segment beats
 * `{name}`, that beats `{name+}`, an exact method beats ANY, and what is left over goes to `$default`.
 */

/** One line of serverless.yml: `GET /cache/{namespace}/{key+}`, `ANY /x`, or `$default`. */
export interface RoutePattern {
  /** Upper case, or `ANY`. */
  readonly method: string;
  /** As declared, or `$default`. */
  readonly path: string;
}

export interface RouteMatch<R extends RoutePattern> {
  readonly route: R;
  /** As API Gateway names it: `GET /cache/{namespace}/{key+}`. */
  readonly routeKey: string;
  /** Undefined when the route has none. */
  readonly pathParameters: Record<string, string> | undefined;
}

interface Leaf<R extends RoutePattern> {
  readonly route: R;
  readonly routeKey: string;
  readonly names: readonly string[];
}

/** One segment of the paths; `ends` and `greedy` by method. */
interface Branch<R extends RoutePattern> {
  readonly literals: Map<string, Branch<R>>;
  any: Branch<R> | undefined;
  readonly ends: Map<string, Leaf<R>>;
  readonly greedy: Map<string, Leaf<R>>;
}

const newBranch = <R extends RoutePattern>(): Branch<R> => ({
  literals: new Map(),
  any: undefined,
  ends: new Map(),
  greedy: new Map(),
});

/**
 * Builds the table once; `match` is called for each request.
 * @throws {Error} a pattern it cannot serve, or the same route twice.
 */
export function createRouteTable<R extends RoutePattern>(routes: readonly R[]) {
  const root = newBranch<R>();
  let fallback: Leaf<R> | undefined;
  for (const route of routes) {
    if (route.path === '$default') fallback = { route, routeKey: '$default', names: [] };
    else addRoute(root, route);
  }

  return {
    /** The route for a decoded path, or undefined: then even `$default` is not declared. */
    match(method: string, path: string): RouteMatch<R> | undefined {
      const values: string[] = [];
      const leaf = find(root, { method, path, values }, 1) ?? fallback;
      if (leaf === undefined) return undefined;
      return { route: leaf.route, routeKey: leaf.routeKey, pathParameters: nameValues(leaf.names, values) };
    },
  };
}

function addRoute<R extends RoutePattern>(root: Branch<R>, route: R): void {
  const names: string[] = [];
  let branch = root;
  let slot = root.ends;
  for (const segment of route.path.slice(1).split('/')) {
    if (slot === branch.greedy) throw new Error(`A greedy parameter must be the last of a path: ${route.path}`);
    const name = parameterName(segment, route.path);
    if (name !== undefined) names.push(name.replace('+', ''));
    if (name?.endsWith('+')) {
      slot = branch.greedy;
      continue;
    }
    branch = name === undefined ? literalBranch(branch, segment) : anyBranch(branch);
    slot = branch.ends;
  }
  if (slot.has(route.method)) throw new Error(`Two functions have the route ${route.method} ${route.path}`);
  slot.set(route.method, { route, routeKey: `${route.method} ${route.path}`, names });
}

function literalBranch<R extends RoutePattern>(branch: Branch<R>, segment: string): Branch<R> {
  const next = branch.literals.get(segment) ?? newBranch<R>();
  branch.literals.set(segment, next);
  return next;
}

function anyBranch<R extends RoutePattern>(branch: Branch<R>): Branch<R> {
  branch.any ??= newBranch<R>();
  return branch.any;
}

/** `key` of `{key}`, `key+` of `{key+}`, undefined for a literal. */
function parameterName(segment: string, path: string): string | undefined {
  const name = /^\{([A-Za-z_][\w-]*\+?)\}$/.exec(segment)?.[1];
  if (name === undefined && /[{}*]/.test(segment)) throw new Error(`Not a path segment: ${segment} in ${path}`);
  return name;
}

interface Search {
  readonly method: string;
  readonly path: string;
  /** Parameter values met on the way, outermost first. */
  readonly values: string[];
}

/** Depth first, most specific first; as many steps back as the declared routes are deep. */
function find<R extends RoutePattern>(branch: Branch<R>, search: Search, start: number): Leaf<R> | undefined {
  const { method, path, values } = search;
  const slash = path.indexOf('/', start);
  const end = slash < 0 ? path.length : slash;
  const segment = path.slice(start, end);

  const literal = branch.literals.get(segment);
  const found = literal && descend(literal, search, end);
  if (found) return found;

  const depth = values.length;
  if (branch.any !== undefined && segment !== '') {
    values.push(segment);
    const parameter = descend(branch.any, search, end);
    if (parameter) return parameter;
    values.length = depth;
  }
  const rest = path.slice(start);
  const greedy = rest === '' ? undefined : forMethod(branch.greedy, method);
  if (greedy) values.push(rest);
  return greedy;
}

function descend<R extends RoutePattern>(branch: Branch<R>, search: Search, end: number): Leaf<R> | undefined {
  return end === search.path.length ? forMethod(branch.ends, search.method) : find(branch, search, end + 1);
}

function forMethod<R extends RoutePattern>(leaves: Map<string, Leaf<R>>, method: string): Leaf<R> | undefined {
  return leaves.get(method) ?? leaves.get('ANY');
}

function nameValues(names: readonly string[], values: readonly string[]): Record<string, string> | undefined {
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
