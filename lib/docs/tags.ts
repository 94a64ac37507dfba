/** The chapters of the documentation: endpoints by what their path begins with. */
export interface Tag {
  readonly name: string;
  readonly description: string;
  /** Whole segments. */
  readonly prefixes: readonly string[];
}

export const TAGS: readonly Tag[] = [
  { name: 'Cache', description: 'Values of a tenant, by namespace and key, byte for byte.', prefixes: ['/cache'] },
  { name: 'Account', description: 'The caller, its limits, and what is left of them.', prefixes: ['/whoami'] },
  {
    name: 'Quotas',
    description: 'What is used, held and left; reservations for work of unknown size.',
    prefixes: ['/quotas'],
  },
  {
    name: 'Rate limiting',
    description: 'Limits of your own users, counted exactly.',
    prefixes: ['/ratelimit'],
  },
  { name: 'Tenants', description: 'Tenants, their quotas and API keys.', prefixes: ['/admin/tenants'] },
  { name: 'Audit', description: 'What administration did, in one chain of hashes.', prefixes: ['/admin/audit'] },
  { name: 'Health', description: 'Whether the service runs and can do its work.', prefixes: ['/health'] },
  { name: 'Documentation', description: 'This API, for programs and people.', prefixes: ['/openapi.json', '/docs'] },
];

/** @throws {RangeError} a path that is in no chapter. */
export function tagOf(path: string): Tag {
  const tag = TAGS.find(({ prefixes }) => prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)));
  if (tag === undefined) throw new RangeError(`No chapter of the documentation holds ${path}`);
  return tag;
}
