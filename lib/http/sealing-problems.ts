/** Where values of a tenant that encrypts are sealed or opened. */
export const SEALING_PROBLEMS = ['encryption_unavailable', 'key_provider_unavailable', 'key_refused'] as const;
