/** Everything the endpoint does. What is not in the table answers 501. */
import { randomBytes } from 'node:crypto';
import { keyIdOf, unwrapBytes, wrapBytes } from './ciphertext.ts';
import { ACCOUNT, arnOf, findKey, findUsableKey, type KeyPlace } from './find-key.ts';
import { invalidCiphertext, KmsError } from './kms-error.ts';
import { allowOnly, bytesOf, contextOf, dataKeyBytes, type Parameters } from './parameters.ts';

/** One call: its parameters, and the keys as they are now. */
export interface KmsCall extends KeyPlace {
  readonly parameters: Parameters;
}

/** What a call answers, as JSON. */
export type KmsReply = Readonly<Record<string, unknown>>;

const ALGORITHM = 'SYMMETRIC_DEFAULT';
const MAX_PLAINTEXT_BYTES = 4096;
const MAX_CIPHERTEXT_BYTES = 6144;

export const kmsOperations: ReadonlyMap<string, (call: KmsCall) => KmsReply> = new Map([
  ['GenerateDataKey', generateDataKey],
  ['Encrypt', encrypt],
  ['Decrypt', decrypt],
  ['DescribeKey', describeKey],
]);

function generateDataKey({ parameters, ...place }: KmsCall): KmsReply {
  allowOnly(parameters, ['KeyId', 'KeySpec', 'NumberOfBytes', 'EncryptionContext']);
  const plaintext = randomBytes(dataKeyBytes(parameters));
  const context = contextOf(parameters);
  const key = findUsableKey(place, parameters.KeyId);
  return {
    CiphertextBlob: wrapBytes(key, context, plaintext).toString('base64'),
    Plaintext: plaintext.toString('base64'),
    KeyId: arnOf(key, place.region),
  };
}

function encrypt({ parameters, ...place }: KmsCall): KmsReply {
  allowOnly(parameters, ['KeyId', 'Plaintext', 'EncryptionContext', 'EncryptionAlgorithm']);
  const plaintext = bytesOf(parameters, 'Plaintext', MAX_PLAINTEXT_BYTES);
  const context = contextOf(parameters);
  const key = findUsableKey(place, parameters.KeyId);
  return {
    CiphertextBlob: wrapBytes(key, context, plaintext).toString('base64'),
    KeyId: arnOf(key, place.region),
    EncryptionAlgorithm: ALGORITHM,
  };
}

function decrypt({ parameters, ...place }: KmsCall): KmsReply {
  allowOnly(parameters, ['KeyId', 'CiphertextBlob', 'EncryptionContext', 'EncryptionAlgorithm']);
  const blob = bytesOf(parameters, 'CiphertextBlob', MAX_CIPHERTEXT_BYTES);
  const context = contextOf(parameters);
  const id = keyIdOf(blob);
  if (parameters.KeyId !== undefined && findKey(place, parameters.KeyId).id !== id) {
    throw new KmsError(
      400,
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  if (!place.ring.keys.some((key) => key.id === id)) throw invalidCiphertext();
  const key = findUsableKey(place, id);
  return {
    Plaintext: unwrapBytes(key, context, blob).toString('base64'),
    KeyId: arnOf(key, place.region),
    EncryptionAlgorithm: ALGORITHM,
  };
}

/** Of a disabled key too: that is how one sees that it is. */
function describeKey({ parameters, ...place }: KmsCall): KmsReply {
  allowOnly(parameters, ['KeyId']);
  const key = findKey(place, parameters.KeyId);
  return {
    KeyMetadata: {
      AWSAccountId: ACCOUNT,
      KeyId: key.id,
      Arn: arnOf(key, place.region),
      CreationDate: key.createdAtMs / 1000,
      Enabled: key.state === 'Enabled',
      KeyState: key.state,
      Description: '',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeySpec: ALGORITHM,
      EncryptionAlgorithms: [ALGORITHM],
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      MultiRegion: false,
    },
  };
}
