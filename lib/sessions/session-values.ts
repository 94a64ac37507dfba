/**
 * Texts of a session as they are stored: as they are, or sealed under a data key of the tenant, bound to the session and the name
 * of the field. A sealed one begins with `~`, which no JSON does, so that both may stand side by side.
 */
import type { TenantCipher } from '../crypto/tenant-cipher.ts';
import { CorruptValueError, SessionCorruptError } from '../errors.ts';
import type { ContextData } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import { DATA_PREFIX } from './session-format.ts';

const SEALED = '~';

export type SessionValues = ReturnType<typeof createSessionValues>;

export function createSessionValues({ cipher }: { readonly cipher: TenantCipher }) {
  const partsOf = (ulid: string, name: string) => ['session', ulid, name];

  return {
    /** Names and stored texts by turns, as scripts take them. @throws what `cipher.sealer` throws. */
    async seal(
      id: TenantId,
      context: ContextData,
      ulid: string,
      texts: Iterable<readonly [string, string]>,
    ): Promise<string[]> {
      const seal = await cipher.sealer(id, context);
      return [...texts].flatMap(([name, text]) => [
        name,
        seal === null ? text : SEALED + seal(Buffer.from(text), partsOf(ulid, name)),
      ]);
    },

    /** The text of a stored one. @throws {SessionCorruptError} it is not what was sealed. @throws what `cipher.open` throws. */
    async open(
      id: TenantId,
      context: ContextData,
      ulid: string,
      [name, stored]: readonly [string, string],
    ): Promise<string> {
      if (!stored.startsWith(SEALED)) return stored;
      try {
        return (await cipher.open(id, context, stored.slice(1), partsOf(ulid, name))).toString('utf8');
      } catch (error) {
        if (!(error instanceof CorruptValueError)) throw error;
        throw new SessionCorruptError('A stored session is not what was sealed', { cause: error });
      }
    },
  };
}

/** Data by the names of the fields it is stored in. */
export const dataFields = (texts: ReadonlyMap<string, string> = new Map()): readonly (readonly [string, string])[] =>
  [...texts].map(([key, text]) => [DATA_PREFIX + key, text] as const);
