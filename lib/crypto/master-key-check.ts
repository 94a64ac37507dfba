/** Whether the master key is the one that data here was encrypted under. Asked at start, before anything is written. */
import type { BlobStore } from '../blobs/store.ts';
import {
  BlobUnavailableError,
  KeyProviderUnavailableError,
  KeyRefusedError,
  MasterKeyMismatchError,
} from '../errors.ts';
import { MASTER_KEY_CHECK } from '../keys.ts';
import type { KeyProvider, WrappedKey } from './key-provider.ts';

/** `unknown`: S3 or the provider cannot be reached now. `refused`: the master key is disabled, denied to us, or there is none yet of that name. */
export type MasterKeyState = 'created' | 'verified' | 'unknown' | 'refused';

export interface MasterKeyCheckDeps {
  readonly provider: KeyProvider;
  readonly blobs: BlobStore;
}

/** The object: a key nobody uses, wrapped under the first master key. */
interface Sentinel extends WrappedKey {
  readonly provider: KeyProvider['kind'];
}

const CONTEXT = { tenant: '', purpose: 'master-key-check' } as const;
const FORMAT = 1;
const MAX_BYTES = 16_384;

/**
 * The very first start leaves a sentinel, in one step, so that two first starts agree; every later one must be able to
 * unwrap it. Master keys that were added since do no harm: the sentinel's own is still there.
 * @throws {MasterKeyMismatchError} it cannot be unwrapped, or cannot be read. Nothing was written.
 * @throws {ConfigError} the file of master keys cannot be used.
 */
export async function verifyMasterKey(deps: MasterKeyCheckDeps): Promise<MasterKeyState> {
  try {
    const found = await readSentinel(deps.blobs);
    if (found !== null) return await unwrapSentinel(deps, found);
    if (await createSentinel(deps)) return 'created';
    // Another one was quicker.
    const theirs = await readSentinel(deps.blobs);
    return theirs === null ? 'unknown' : await unwrapSentinel(deps, theirs);
  } catch (error) {
    if (error instanceof BlobUnavailableError || error instanceof KeyProviderUnavailableError) return 'unknown';
    // With no sentinel yet, there is nothing to mismatch.
    if (error instanceof KeyRefusedError) return 'refused';
    throw error;
  }
}

async function unwrapSentinel({ provider }: MasterKeyCheckDeps, sentinel: Sentinel): Promise<MasterKeyState> {
  try {
    (await provider.unwrap(sentinel, CONTEXT)).fill(0);
    return 'verified';
  } catch (error) {
    const isOther =
      error instanceof KeyRefusedError && (error.reason === 'unknown_key' || error.reason === 'wrong_key');
    throw isOther ? mismatch(sentinel, provider) : error;
  }
}

async function createSentinel({ provider, blobs }: MasterKeyCheckDeps): Promise<boolean> {
  const { plaintext, wrapped, keyId } = await provider.generate(CONTEXT);
  plaintext.fill(0);
  const text = JSON.stringify({ format: FORMAT, provider: provider.kind, key_id: keyId, wrapped });
  const put = { key: MASTER_KEY_CHECK, body: Buffer.from(text), contentType: 'application/json' };
  return (await blobs.put({ ...put, onlyIf: 'absent' })) !== null;
}

async function readSentinel(blobs: BlobStore): Promise<Sentinel | null> {
  const blob = await blobs.get(MASTER_KEY_CHECK, { maxBytes: MAX_BYTES });
  if (blob === null) return null;
  const sentinel = parseSentinel(blob.body.toString());
  if (sentinel !== null) return sentinel;
  throw new MasterKeyMismatchError(
    `The object ${MASTER_KEY_CHECK} cannot be read, so nothing says whether this is the right master key: restore it from a backup of the bucket`,
  );
}

function parseSentinel(text: string): Sentinel | null {
  try {
    const { format, provider, key_id: keyId, wrapped } = JSON.parse(text);
    const isWhole = format === FORMAT && typeof keyId === 'string' && typeof wrapped === 'string';
    return isWhole && (provider === 'kms' || provider === 'local') ? { provider, keyId, wrapped } : null;
  } catch {
    return null; // told by the caller, without the text
  }
}

/** Key ids are names, not secrets. */
function mismatch(sentinel: Sentinel, provider: KeyProvider): MasterKeyMismatchError {
  const advice = {
    kms: 'bring that key back into encryption.kms_key_id (or its endpoint and region)',
    local: 'put its line back into encryption.master_key_file; new keys are added below it',
  }[sentinel.provider];
  const other = provider.kind === sentinel.provider ? '' : `, and encryption.provider to ${sentinel.provider}`;
  return new MasterKeyMismatchError(
    `The data here was encrypted under the master key "${sentinel.keyId}" (${sentinel.provider}), which is not the one configured: ${advice}${other}. ` +
      'To begin anew without that data, use an empty bucket',
    { details: { key_id: sentinel.keyId, provider: sentinel.provider } },
  );
}
