/** The servers every test of a run shares. Tests keep apart by using fresh tenants and keys, never by emptying them. */
import { inject } from 'vitest';

/** Where the servers are; global-setup.ts starts them, once for each project. */
export interface TestServers {
  readonly redisUrl: string;
  /** The Upstash-compatible endpoint in front of that Redis. */
  readonly restUrl: string;
  readonly restToken: string;
  readonly s3: {
    readonly url: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    /** Exists, and holds what other tests put there. */
    readonly bucket: string;
  };
  /** Taken by the key pair of `s3`, in its region. */
  readonly kms: {
    readonly url: string;
    /** An alias; tests that change a key start an endpoint of their own. */
    readonly keyId: string;
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly servers: TestServers;
  }
}

/** The shared servers of this run. */
export function servers(): TestServers {
  return inject('servers');
}
