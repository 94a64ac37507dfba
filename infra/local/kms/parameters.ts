/** Reads the parameters of a call. What is not followed here is refused, not ignored. */
import type { EncryptionContext } from './ciphertext.ts';
import { invalid, KmsError, unsupported } from './kms-error.ts';

export type Parameters = Readonly<Record<string, unknown>>;

const MAX_CONTEXT_BYTES = 8192;
/** As it goes over the wire: strict, so that a cut or mangled value is noticed here. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The body as an object. @throws {KmsError} SerializationException. */
export function parseParameters(body: Buffer): Parameters {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Parameters;
  } catch {
    // Answered below, without the text: it may hold a key.
  }
  throw new KmsError(400, 'SerializationException', 'The body is not a JSON object');
}

/** @throws {KmsError} 501 for a parameter this endpoint does not follow. */
export function allowOnly(parameters: Parameters, names: readonly string[]): void {
  const other = Object.keys(parameters).find((name) => !names.includes(name));
  if (other !== undefined) throw unsupported(`The parameter ${/^\w{1,64}$/.test(other) ? other : 'given'}`);
  const { EncryptionAlgorithm = 'SYMMETRIC_DEFAULT' } = parameters;
  if (EncryptionAlgorithm !== 'SYMMETRIC_DEFAULT') throw unsupported('This EncryptionAlgorithm');
}

/** @throws {KmsError} ValidationException: not base64, empty, or longer than `maxBytes`. */
export function bytesOf(parameters: Parameters, name: string, maxBytes: number): Buffer {
  const text = parameters[name];
  if (typeof text !== 'string' || !BASE64.test(text)) throw invalid(`${name} is not base64`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length > maxBytes) throw invalid(`${name} must have 1 to ${maxBytes} bytes`);
  return bytes;
}

/** @throws {KmsError} ValidationException: not texts by name, an empty one, or too many bytes. */
export function contextOf({ EncryptionContext: context = {} }: Parameters): EncryptionContext {
  const isObject = typeof context === 'object' && context !== null && !Array.isArray(context);
  const parts = isObject ? Object.entries(context).flat() : [''];
  if (!parts.every((part) => typeof part === 'string' && part !== '')) {
    throw invalid('EncryptionContext holds texts by name, none of them empty');
  }
  if (Buffer.byteLength(parts.join('')) > MAX_CONTEXT_BYTES) throw invalid('EncryptionContext is too long');
  return context as EncryptionContext;
}

/** How many bytes a data key has. @throws {KmsError} ValidationException: neither or both parameters, or out of range. */
export function dataKeyBytes({ KeySpec, NumberOfBytes }: Parameters): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw invalid('Please specify either number of bytes or key spec.');
  }
  if (KeySpec === 'AES_256') return 32;
  if (KeySpec === 'AES_128') return 16;
  if (Number.isInteger(NumberOfBytes) && Number(NumberOfBytes) >= 1 && Number(NumberOfBytes) <= 1024) {
    return Number(NumberOfBytes);
  }
  throw invalid('KeySpec must be AES_256 or AES_128, NumberOfBytes from 1 to 1024');
}
