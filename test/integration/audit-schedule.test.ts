/** The schedule seals what nobody asks for. */
import { expect, it } from 'vitest';
import { createLambdaContext } from '../../infra/local/host/lambda-context.ts';
import { auditEntry } from '../support/audit-entries.ts';
import { linesInRedis, ownLogSettings, pendingIn } from '../support/audit-state.ts';
import { openDoor } from '../support/door.ts';
import { sampleEvent } from '../support/sample-event.ts';

it('bill-tenants seals pending audit entries, and reports it [T11]', async () => {
  const { PERSISTENCE_BLOBS_BUCKET = '' } = await ownLogSettings();
  const { app } = await openDoor({ PERSISTENCE_BLOBS_BUCKET });
  await app.audit.append(auditEntry(1));
  const { handler } = await import('../../functions/schedules/bill-tenants.ts');
  const context = createLambdaContext(
    { name: 'schedulesBillTenants', timeoutMs: 60_000 } as Parameters<typeof createLambdaContext>[0],
    'run-1',
  );
  const report = await handler(sampleEvent('schedules/clean-up'), context as never);
  expect(report).toMatchObject({ audit_seal_sealed: 1, audit_seal_finished: true, audit_archive_blocks: 0 });
  expect(await linesInRedis(app)).toHaveLength(1);
  expect(await pendingIn(app)).toEqual([]);
});
