/** What may be said on the command line of `npm run state`. */
import { parseArgs } from 'node:util';
import { LocalServiceError } from '../../lib/errors.ts';
import { CHECKPOINT_ID, JOB_ID, TENANT_ID } from '../../lib/ids.ts';

export const USAGE = `npm run state -- COMMAND

  checkpoint [--description TEXT] [--no-cache]   take a checkpoint of all tenants
  list [--limit N]                               the checkpoints there are, newest first
  show ID [--tenant TENANT]                      what is in one, tenant by tenant
  verify ID                                      read all of it: could it be restored?
  diff ID [SCOPE]                                what a restore would change
  restore ID [SCOPE] [--yes]                     shows the diff, asks, restores, and says how to undo it
  follow JOB                                     how far a job is that was left to itself

ID: ckpt-…, or latest. SCOPE: --tenant TENANT (again for more), or --session TENANT/SESSION; --revive-sessions brings back sessions
of tenants that Redis has lost; --no-cache leaves the cache empty. --plain: lines instead of bars.

It asks the service that RIPTIDE_URL and RIPTIDE_ADMIN_KEY name, or the one npm start runs. Ctrl-C leaves a job running.
Exit code: 0 done, 1 damaged or failed, 2 nothing was done, 130 left to itself.`;

const COMMANDS = ['checkpoint', 'list', 'show', 'verify', 'diff', 'restore', 'follow'] as const;
export type CommandName = (typeof COMMANDS)[number];

export interface StateCommand {
  readonly name: CommandName;
  /** A checkpoint's id or `latest`, or a job's; empty: the command takes none. */
  readonly id: string;
  readonly description: string | undefined;
  /** False: `--no-cache`. */
  readonly cache: boolean;
  readonly limit: number;
  readonly tenants: readonly string[];
  readonly session: { readonly tenant_id: string; readonly session_id: string } | undefined;
  readonly reviveSessions: boolean;
  /** Nobody is asked. */
  readonly isSure: boolean;
  readonly isPlain: boolean;
}

/** @returns null: the person asks for {@link USAGE}. @throws {LocalServiceError} what is unknown or does not fit. */
export function readOptions(args: readonly string[]): StateCommand | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [name, id = '', ...more] = positionals;
  if (!isCommand(name)) throw refuse(name === undefined ? 'Say what to do' : `No such command: ${name}`);
  if (more.length > 0) throw refuse(`Too much said: ${more.join(' ')}`);
  checkId(name, id);
  const tenants = values.tenant ?? [];
  for (const tenant of tenants) if (!TENANT_ID.test(tenant)) throw refuse(`Not a tenant: ${tenant}`);
  if (tenants.length > 0 && values.session !== undefined) throw refuse('Either --tenant or --session');
  if (name === 'show' && tenants.length > 1) throw refuse('show takes one --tenant');
  return {
    name,
    id,
    description: values.description,
    cache: !values['no-cache'],
    limit: readLimit(values.limit),
    tenants,
    session: values.session === undefined ? undefined : readSession(values.session),
    reviveSessions: values['revive-sessions'],
    isSure: values.yes,
    isPlain: values.plain,
  };
}

const isCommand = (name: string | undefined): name is CommandName => COMMANDS.some((command) => command === name);

function checkId(name: CommandName, id: string): void {
  if (name === 'checkpoint' || name === 'list') {
    if (id !== '') throw refuse(`${name} takes no id`);
    return;
  }
  const fits = name === 'follow' ? JOB_ID.test(id) : id === 'latest' || CHECKPOINT_ID.test(id);
  if (!fits)
    throw refuse(`${name}: say ${name === 'follow' ? 'the id of a job' : 'the id of a checkpoint, or latest'}`);
}

function readLimit(text: string): number {
  if (!/^(?:[1-9]\d?|100)$/.test(text)) throw refuse('--limit: 1 to 100');
  return Number(text);
}

function readSession(text: string) {
  const [tenant_id = '', session_id = '', more] = text.split('/');
  if (!TENANT_ID.test(tenant_id) || session_id === '' || more !== undefined) throw refuse('--session TENANT/SESSION');
  return { tenant_id, session_id };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        description: { type: 'string' },
        'no-cache': { type: 'boolean', default: false },
        limit: { type: 'string', default: '20' },
        tenant: { type: 'string', multiple: true },
        session: { type: 'string' },
        'revive-sessions': { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        plain: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

const refuse = (message: string) => new LocalServiceError(`${message}\n\n${USAGE}`);
