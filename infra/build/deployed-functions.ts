/**
 * What is deployed of infra/functions.yml. CloudFormation takes 500 resources; a function costs four, a route one. So the HTTP
 * endpoints of one area and role share a function; one that says `own: true` has a function of its own, and so has a schedule.
 */
import type { FunctionEntry } from './function-list.ts';

/** What a bundle is made from: one source, or the source of each route. Paths from the root of the repository. */
export type BundleEntry = { readonly source: string } | { readonly routes: Readonly<Record<string, string>> };

export interface DeployedFunction {
  /** Its name: that of its only endpoint, as `cacheGetEntry`, or of area and role, as `adminWriter`. */
  readonly key: string;
  readonly endpoints: readonly FunctionEntry[];
  readonly entry: BundleEntry;
}

/** The functions, in the order in which their first endpoints are listed. */
export function deployedFunctions(entries: readonly FunctionEntry[]): readonly DeployedFunction[] {
  const groups = Map.groupBy(entries, (entry) => (isShared(entry) ? sharedKey(entry) : entry.key));
  return [...groups].map(([key, endpoints]) => ({ key, endpoints, entry: bundleEntry(endpoints) }));
}

/** As the Serverless Framework wants them below `functions`. */
export function serverlessFunctions(entries: readonly FunctionEntry[]): Readonly<Record<string, object>> {
  const described = deployedFunctions(entries).map(({ key, endpoints }) => {
    const events = endpoints.flatMap((endpoint) => endpoint.events);
    return [key, { handler: 'index.handler', ...endpoints[0]?.settings, events }] as const;
  });
  return Object.fromEntries(described);
}

/** With a timeout or anything else of its own, an endpoint shares with nobody. */
function isShared({ own, events, settings }: FunctionEntry): boolean {
  const isEndpoint = events.every(({ httpApi }) => httpApi !== undefined && httpApi !== '*');
  return !own && isEndpoint && Object.keys(settings).join() === 'role';
}

/** `admin` and `DataWriterRole` are `adminWriter`. */
function sharedKey({ source, settings }: FunctionEntry): string {
  const area = source.split('/')[1] ?? '';
  const profile = String(settings.role).replace(/^Data|Role$/g, '');
  return `${area.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())}${profile}`;
}

function bundleEntry(endpoints: readonly FunctionEntry[]): BundleEntry {
  const [first] = endpoints;
  if (first !== undefined && !isShared(first)) return { source: first.source };
  const routes = endpoints.flatMap(({ source, events }) =>
    events.map(({ httpApi }) => [httpApi ?? '', source] as const),
  );
  return { routes: Object.fromEntries(routes) };
}
