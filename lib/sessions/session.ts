/** A session as callers see it. Times are Unix ms, sizes bytes. */

/** What is known of who uses it. Given once, with the session. */
export interface SessionMetadata {
  readonly client_ip?: string | undefined;
  readonly user_agent?: string | undefined;
  readonly source?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** A session without its data. */
export interface SessionInfo {
  /** `session-<ULID>-<secret>`: who has it has the session. */
  readonly id: string;
  readonly userId: string | null;
  /** 1, and one more by each change of data or id. */
  readonly version: number;
  readonly createdAtMs: number;
  /** It lags by up to a hundredth of the idle time. */
  readonly lastAccessedAtMs: number;
  /** Unless it is used before. */
  readonly expiresAtMs: number;
  /** However often it is used. */
  readonly absoluteEndMs: number;
  /** How long it lives unused. */
  readonly ttlMs: number;
  readonly metadata: SessionMetadata;
  /** Of all data keys and texts. */
  readonly dataBytes: number;
  /** Where its data was when it was looked at: in Redis, or in S3. */
  readonly tier: 'hot' | 'cold';
}

/** With its data: JSON texts by key, exactly as they were given. */
export interface Session extends SessionInfo {
  readonly data: ReadonlyMap<string, string>;
}

/** What a change of data led to. */
export interface SessionChange {
  readonly version: number;
  readonly expiresAtMs: number;
}

export interface NewSession {
  /** Absent: a new one. One given is used once: it is refused while a session has it, and after that one was terminated. */
  readonly id?: string | undefined;
  readonly userId?: string | null | undefined;
  readonly metadata?: SessionMetadata | undefined;
  /** How long it lives unused; absent: as the tenant is set. */
  readonly ttlMs?: number | undefined;
  /** How long it lives at all; absent: as the tenant is set, which is also the most. */
  readonly maxLifetimeMs?: number | undefined;
  /** JSON texts by key. */
  readonly data?: ReadonlyMap<string, string> | undefined;
}

export interface DataChange {
  /** JSON texts by key. */
  readonly set?: ReadonlyMap<string, string> | undefined;
  readonly remove?: readonly string[] | undefined;
  /** All data becomes what is set. */
  readonly replace?: boolean | undefined;
  /** The version it must have; absent: any. */
  readonly ifVersion?: number | undefined;
}
