/** What an API key may be allowed to do. A key's own scopes may also be `<area>:*` or `*`. */
export const SCOPES = [
  'cache:read',
  'cache:write',
  'quotas:read',
  'quotas:write',
  'ratelimit:check',
  'sessions:read',
  'sessions:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/** What may be asked for when a key is made. */
export const GRANTABLE_SCOPES = [...SCOPES, 'cache:*', 'quotas:*', 'ratelimit:*', 'sessions:*', '*'] as const;
