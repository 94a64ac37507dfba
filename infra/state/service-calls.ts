/** Calls of the service, whose refusals are told as one line. */
import type { Client } from '../../lib/client/client.ts';
import { LocalServiceError } from '../../lib/errors.ts';
import type { JobResponse } from '../../lib/jobs/contract.ts';

interface Refused {
  readonly ok: false;
  readonly problem: {
    readonly code: string;
    readonly detail: string;
    readonly errors?: readonly { readonly field: string; readonly message: string }[] | undefined;
  };
}

/** What the call has given. @throws {LocalServiceError} the service refused, or did not answer. */
export async function answerOf<D>(call: Promise<{ readonly ok: true; readonly data: D } | Refused>): Promise<D> {
  const answer = await call;
  if (answer.ok) return answer.data;
  const { code, detail, errors = [] } = answer.problem;
  const fields = errors.map(({ field, message }) => `; ${field} ${message}`).join('');
  throw new LocalServiceError(`${detail}${fields} (${code})`);
}

/** The checkpoint that is meant. @throws {LocalServiceError} there is none. */
export async function checkpointIdOf(client: Client, id: string): Promise<string> {
  if (id !== 'latest') return id;
  const { items } = await answerOf(client.listCheckpoints());
  const newest = items.find(({ readable, type }) => readable && type !== 'safety');
  if (newest === undefined) throw new LocalServiceError('There is no checkpoint');
  return newest.id;
}

export type Result = NonNullable<JobResponse['result']>;
