/** What an erasure leaves: proof of what was looked for, where, and that nothing is left. No personal data. */
import { canonicalJson } from '../audit/canonical-json.ts';
import { sha256 } from '../audit/entry.ts';

/** One store that was searched. `left`: what a look after the removal still found; 0 in every receipt. */
export interface CheckedStore {
  readonly store: 'redis' | 's3';
  readonly name: string;
  /** By the last run; one that was cut short before it may have removed more. */
  readonly removed: number;
  readonly left: number;
}

/** What is kept, and why. */
export interface KeptRecord {
  readonly name: string;
  /** Null: not counted. */
  readonly count: number | null;
  readonly reason: string;
}

export interface ReceiptFacts {
  readonly tenant_id: string;
  /** ISO 8601, UTC. */
  readonly deleted_at: string;
  readonly erased_at: string;
  /** Of the entry in the audit log, which has the receipt's digest. */
  readonly audit_entry: string;
  /** Counters when the erasure began. */
  readonly before: {
    readonly entries: number;
    readonly memory_bytes: number;
    readonly storage_bytes: number;
    readonly api_keys: number;
  };
  /** `crypto_shred`: the tenant was encrypted, so values in copies of Redis or of S3's other objects cannot be read any more. */
  readonly method: 'removal' | 'removal_and_crypto_shred';
  readonly stores: readonly CheckedStore[];
  readonly kept: readonly KeptRecord[];
}

export interface ErasureReceipt extends ReceiptFacts {
  /** SHA-256 of the rest, hex, over canonical JSON; the audit log has it too. */
  readonly sha256: string;
}

export const sealReceipt = (facts: ReceiptFacts): ErasureReceipt => ({ ...facts, sha256: digestOf(facts) });

/** Whether a receipt is as it was written. */
export function isIntact({ sha256, ...facts }: ErasureReceipt): boolean {
  return digestOf(facts) === sha256;
}

const digestOf = (facts: ReceiptFacts): string => sha256(canonicalJson(facts as never));
