/** Which key a `KeyId` means: an id, an ARN, `alias/name` or an alias's ARN. */
import type { KeyRing, StoredKey } from './key-file.ts';
import { invalid, KmsError, notFound } from './kms-error.ts';

export const ACCOUNT = '000000000000';
const MAX_LENGTH = 2048;

export interface KeyPlace {
  readonly ring: KeyRing;
  readonly region: string;
}

/** @throws {KmsError} NotFoundException, ValidationException. */
export function findKey({ ring, region }: KeyPlace, name: unknown): StoredKey {
  if (typeof name !== 'string' || name === '' || name.length > MAX_LENGTH)
    throw invalid('KeyId is missing or too long');
  const local = name.startsWith('arn:') ? ofArn(name, region) : name;
  const id = local.startsWith('alias/') ? aliased(ring, local) : local.replace(/^key\//, '');
  const key = ring.keys.find((candidate) => candidate.id === id);
  if (key === undefined) throw notFound(`Key '${arnOf({ id }, region)}'`);
  return key;
}

/** The same, when it may be used. @throws {KmsError} DisabledException, KMSInvalidStateException and those of {@link findKey}. */
export function findUsableKey(place: KeyPlace, name: unknown): StoredKey {
  const key = findKey(place, name);
  const arn = arnOf(key, place.region);
  if (key.state === 'Disabled') throw new KmsError(409, 'DisabledException', `${arn} is disabled.`);
  if (key.state === 'PendingDeletion') {
    throw new KmsError(409, 'KMSInvalidStateException', `${arn} is pending deletion.`);
  }
  return key;
}

export const arnOf = ({ id }: Pick<StoredKey, 'id'>, region: string): string =>
  `arn:aws:kms:${region}:${ACCOUNT}:key/${id}`;

function ofArn(arn: string, region: string): string {
  const prefix = `arn:aws:kms:${region}:${ACCOUNT}:`;
  const resource = arn.slice(prefix.length);
  if (arn.startsWith(prefix) && /^(key|alias)\//.test(resource)) return resource;
  throw notFound(`Invalid arn: the region is ${region} and the account ${ACCOUNT} here. It`);
}

function aliased({ aliases }: KeyRing, alias: string): string {
  const id = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
  if (id === undefined) throw notFound(`Alias ${alias}`);
  return id;
}
