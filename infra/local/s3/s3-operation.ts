import type { BucketStore } from './bucket-store.ts';
import type { ByteRange } from './byte-range.ts';
import type { OpenObject } from './object-file.ts';
import type { S3Request } from './s3-request.ts';
import type { UploadStore } from './upload-store.ts';

/** What an operation answers. At most one of `xml` and `object`. */
export interface S3Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly xml?: string;
  /** Sent, then closed, by the server. `range` null: no bytes. */
  readonly object?: OpenObject & { readonly range: ByteRange | null };
}

/** What operations work with. */
export interface S3Deps {
  readonly buckets: BucketStore;
  readonly uploads: UploadStore;
  readonly region: string;
  readonly maxObjectBytes: number;
  /** Unix time, ms. */
  readonly now: () => number;
}

/** One call of an operation: the request, and what its signature says about its body. */
export interface S3Call {
  readonly request: S3Request;
  readonly payload: string;
}

/** A row of the table: when it applies, and what it does. */
export interface S3Operation {
  readonly name: string;
  readonly method: string;
  readonly target: 'service' | 'bucket' | 'object';
  /** Query parameters that must be there; `name=value` for one value only. */
  readonly requires?: readonly string[];
  /** Further ones that may be there. Any other: not this operation. */
  readonly allows?: readonly string[];
  /** Whether `x-amz-copy-source` must be there; without it, it must not. */
  readonly copies?: boolean;
  run(call: S3Call, deps: S3Deps): Promise<S3Reply>;
}
