/** What a tenant's context says of its sessions. Whatever is absent is as the deployment is set (lib/sessions/session-settings.ts). */
export interface SessionChoices {
  /** Idle lifetime of a session that names none. */
  readonly timeout_seconds?: number;
  readonly max_lifetime_seconds?: number;
  /** 0.1 to 0.99 of what the tenant's sessions may hold of Redis. */
  readonly spill_threshold_ratio?: number;
  /** What they may hold of it at most. */
  readonly max_hot_bytes?: number;
}
