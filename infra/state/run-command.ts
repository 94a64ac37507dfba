/** What each command of `npm run state` does. */
import { LocalServiceError } from '../../lib/errors.ts';
import { bytesText, durationText, manyText } from './amount-text.ts';
import { checkpointText, holdingsText, listText, VerifyReport, verdictText } from './checkpoint-text.ts';
import { DiffReport, diffPicture } from './diff-picture.ts';
import { type Following, followJob } from './follow-job.ts';
import type { StateCommand } from './options.ts';
import { answerOf, checkpointIdOf, type Result } from './service-calls.ts';

export interface Terminal extends Following {
  /** Onto standard output. */
  print(text: string): void;
  /** What the person types; null: nobody is there. */
  ask(question: string): Promise<string | null>;
}

/** @returns the exit code. @throws {LocalServiceError} nothing was done, or it failed; and what `followJob` throws. */
export function runCommand(command: StateCommand, terminal: Terminal): Promise<number> {
  switch (command.name) {
    case 'checkpoint':
      return takeCheckpoint(command, terminal);
    case 'list':
      return list(command, terminal);
    case 'show':
      return show(command, terminal);
    case 'verify':
      return verify(command, terminal);
    case 'diff':
      return diff(command, terminal);
    case 'restore':
      return restore(command, terminal);
    case 'follow':
      return follow(command, terminal);
  }
}

async function takeCheckpoint({ description, cache }: StateCommand, terminal: Terminal): Promise<number> {
  const body = { ...(description === undefined ? {} : { description }), ...(cache ? {} : { cache }) };
  const { job_id } = await answerOf(terminal.client.createCheckpoint({ body }));
  const result = await followJob(job_id, 'Checkpoint', terminal);
  const { checkpoint_id, tenants, cache_entries, sessions, bytes, new_bytes, took_ms } = result;
  terminal.print(
    `${checkpoint_id}: ${holdingsText(Number(cache_entries), Number(sessions), Number(tenants))}, ${bytesText(Number(bytes))} of which ${bytesText(Number(new_bytes))} new, ` +
      `in ${durationText(Number(took_ms))}`,
  );
  return 0;
}

async function list({ limit }: StateCommand, { client, print }: Terminal): Promise<number> {
  print(listText(await answerOf(client.listCheckpoints({ query: { limit } })), Date.now()));
  return 0;
}

async function show({ id, tenants: [tenant] }: StateCommand, { client, print }: Terminal): Promise<number> {
  const params = { id: await checkpointIdOf(client, id) };
  const query = { limit: 20, ...(tenant === undefined ? {} : { tenant_id: tenant }) };
  print(checkpointText(await answerOf(client.getCheckpoint({ params, query })), Date.now()));
  return 0;
}

async function verify({ id }: StateCommand, terminal: Terminal): Promise<number> {
  const params = { id: await checkpointIdOf(terminal.client, id) };
  const { job_id } = await answerOf(terminal.client.verifyCheckpoint({ params }));
  const result = await followJob(job_id, 'Verify', terminal);
  terminal.print(verdictText(VerifyReport.parse(result)));
  return result.ok === true ? 0 : 1;
}

async function diff(command: StateCommand, terminal: Terminal): Promise<number> {
  const id = await checkpointIdOf(terminal.client, command.id);
  terminal.print(diffPicture(await diffOf(id, command, terminal)));
  return 0;
}

async function diffOf(id: string, command: StateCommand, terminal: Terminal): Promise<DiffReport> {
  const result = await startRestore(id, command, terminal, true);
  return DiffReport.parse(await followJob(result, 'Compare', terminal));
}

async function startRestore(id: string, command: StateCommand, { client }: Terminal, dry: boolean): Promise<string> {
  const { tenants, session, reviveSessions, cache } = command;
  const body = {
    ...(tenants.length === 0 ? {} : { tenants: [...tenants] }),
    ...(session === undefined ? {} : { session }),
    ...(reviveSessions ? { sessions: 'revive' as const } : {}),
    ...(cache ? {} : { cache }),
  };
  const query = dry ? { dry_run: 'true' as const } : {};
  return (await answerOf(client.restoreCheckpoint({ params: { id }, query, body }))).job_id;
}

async function restore(command: StateCommand, terminal: Terminal): Promise<number> {
  const { print } = terminal;
  const id = await checkpointIdOf(terminal.client, command.id);
  print(diffPicture(await diffOf(id, command, terminal)));
  if (!command.isSure) {
    const typed = await terminal.ask(`\nTo restore it, type ${id}: `);
    if (typed === null) throw new LocalServiceError('Nobody is there to ask: say --yes');
    if (typed.trim() !== id) throw new LocalServiceError('Not restored: that is not its id. Nothing was changed');
  }
  const result = await followJob(await startRestore(id, command, terminal, false), 'Restore', terminal);
  print(restoredText(id, result));
  return 0;
}

/** What was done, and how it is undone. */
export function restoredText(id: string, { totals, undo_checkpoint_id: undo, scope }: Result): string {
  const sums = (totals ?? {}) as Readonly<Record<string, number>>;
  const { cache = 0, sessions = 0, tenants = 0, terminated = 0, expired = 0, damaged = 0 } = sums;
  const notes = [
    terminated > 0 ? `${manyText(terminated, 'session')} ended since: they stay so.` : '',
    expired > 0 ? `${manyText(expired, 'record')} expired since.` : '',
    damaged > 0 ? `${manyText(damaged, 'record')} could not be used as they stood.` : '',
  ].filter((note) => note !== '');
  const done = `Restored ${id}: ${holdingsText(cache, sessions, tenants)}.`;
  const isUndone = typeof undo === 'string' && scope !== 'session';
  return [done, ...notes, ...(isUndone ? [`To undo it: npm run state -- restore ${undo}`] : [])].join('\n');
}

async function follow({ id }: StateCommand, terminal: Terminal): Promise<number> {
  terminal.print(JSON.stringify(await followJob(id, id, terminal), null, 2));
  return 0;
}
