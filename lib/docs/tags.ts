/** The chapters of the documentation: endpoints by what their path begins with. */
export interface Tag {
  readonly name: string;
  readonly description: string;
  /** Whole segments. */
  readonly prefixes: readonly string[];
}

export const TAGS: readonly Tag[] = [
  {
    name: 'Cache',
    description: 'Values of a tenant, by namespace and key, byte for byte.',
    prefixes: ['/cache', '/invalidate'],
  },
  {
    name: 'Sessions',
    description: 'Sessions of a tenant’s users: their data by key, their lifetimes, their end.',
    prefixes: ['/sessions'],
  },
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
  {
    name: 'Tenants',
    description: 'Tenants and their quotas, from creation to deletion.',
    prefixes: ['/admin/tenants'],
  },
  {
    name: 'API keys and policies',
    description: 'Who may call for a tenant, and what those may do.',
    prefixes: ['/admin/tenants/{id}/keys', '/admin/tenants/{id}/policies'],
  },
  {
    name: 'Quota requests',
    description: 'What tenants ask for, and what was decided.',
    prefixes: ['/admin/tenants/{id}/quota-requests'],
  },
  {
    name: 'Usage and billing',
    description: 'What a tenant used, and what that costs.',
    prefixes: ['/admin/tenants/{id}/usage', '/admin/tenants/{id}/billing'],
  },
  {
    name: 'Alerts',
    description: 'Quotas that fill up, told by signed webhook.',
    prefixes: ['/admin/tenants/{id}/alerts'],
  },
  {
    name: 'Encryption and erasure',
    description: 'Data keys, and proof of what was erased.',
    prefixes: ['/admin/tenants/{id}/encryption', '/admin/tenants/{id}/erasure'],
  },
  { name: 'Jobs', description: 'Long work, and how far it is.', prefixes: ['/admin/jobs', '/jobs'] },
  {
    name: 'Cache administration',
    description: "Tenants' caches: invalidated, warmed, exported, measured.",
    prefixes: ['/admin/cache'],
  },
  {
    name: 'Session memory',
    description: 'What sessions hold of Redis, and what was moved to S3.',
    prefixes: ['/admin/spillover'],
  },
  {
    name: 'Configuration',
    description: 'What running instances go by: versions of it, tried, activated, taken back.',
    prefixes: ['/admin/config', '/admin/state/reload'],
  },
  {
    name: 'Checkpoints',
    description: 'The state of all tenants, kept in S3: taken, listed, verified, restored.',
    prefixes: ['/admin/state'],
  },
  { name: 'Audit', description: 'What administration did, in one chain of hashes.', prefixes: ['/admin/audit'] },
  { name: 'Health', description: 'Whether the service runs and can do its work.', prefixes: ['/health'] },
  { name: 'Documentation', description: 'This API, for programs and people.', prefixes: ['/openapi.json', '/docs'] },
];

/** The chapter whose prefix says most of the path. @throws {RangeError} a path that is in no chapter. */
export function tagOf(path: string): Tag {
  const fits = TAGS.flatMap((tag) => tag.prefixes.map((prefix) => ({ tag, prefix })))
    .filter(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  if (fits[0] === undefined) throw new RangeError(`No chapter of the documentation holds ${path}`);
  return fits[0].tag;
}
