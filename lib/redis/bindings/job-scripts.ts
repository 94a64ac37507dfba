/** Bindings: long work. */
import { asInteger, asList, asText } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import cancelJobLua from '../scripts/cancel-job.lua';
import claimJobLua from '../scripts/claim-job.lua';
import findDueJobsLua from '../scripts/find-due-jobs.lua';
import heartbeatJobLua from '../scripts/heartbeat-job.lua';
import removeJobLua from '../scripts/remove-job.lua';
import saveJobLua from '../scripts/save-job.lua';
import startJobLua from '../scripts/start-job.lua';

export const cancelJob = defineScript({
  name: 'cancel-job',
  source: cancelJobLua,
  keys: ['job', 'due', 'index', 'ended', 'pending', 'seen'],
  args: ['id', 'entryId', 'entry'],
  reply: (raw) => {
    const [code, job] = asList(raw);
    if (code === 1) return { state: 'cancelled', job: asText(job) } as const;
    if (code === 2) return { state: 'ended' } as const;
    return { state: 'no_job' } as const;
  },
});

export const claimJob = defineScript({
  name: 'claim-job',
  source: claimJobLua,
  keys: ['job', 'due', 'index'],
  args: ['id', 'leaseMs'],
  /** The job; null: it is not to be had now. */
  reply: (raw) => {
    const [code, job] = asList(raw);
    return code === 1 ? asText(job) : null;
  },
});

export const findDueJobs = defineScript({
  name: 'find-due-jobs',
  source: findDueJobsLua,
  keys: ['due', 'ended'],
  args: ['limit', 'keptMs', 'maxEnded'],
  reply: (raw) => {
    const [due, over] = asList(raw, 2);
    return { due: asList(due).map(asText), over: asList(over).map(asText) };
  },
});

export const heartbeatJob = defineScript({
  name: 'heartbeat-job',
  source: heartbeatJobLua,
  keys: ['job', 'due'],
  args: ['id', 'fence', 'updatedMs', 'leaseMs', 'json'],
  reply: (raw) => {
    const [code, job] = asList(raw);
    if (code === 1) return { state: 'kept', job: asText(job) } as const;
    if (code === 2) return { state: 'moved', job: asText(job) } as const;
    return { state: 'lost' } as const;
  },
});

export const removeJob = defineScript({
  name: 'remove-job',
  source: removeJobLua,
  keys: ['job', 'due', 'index', 'ended'],
  args: ['id'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const saveJob = defineScript({
  name: 'save-job',
  source: saveJobLua,
  keys: ['job', 'due', 'index', 'ended'],
  args: ['id', 'fence', 'status', 'delayMs', 'attempts', 'json'],
  /** The job; null: it is not the caller's any more. */
  reply: (raw) => {
    const [code, job] = asList(raw);
    return code === 1 ? asText(job) : null;
  },
});

export const startJob = defineScript({
  name: 'start-job',
  source: startJobLua,
  keys: ['job', 'due', 'index'],
  args: ['id', 'tenant', 'json', 'maxOpen', 'maxOpenOfTenant'],
  /** The job, new or as it was, and how many are open with a new one; null: too many are. */
  reply: (raw) => {
    const [code, job, open] = asList(raw);
    return code === 2 ? null : { job: asText(job), open: code === 1 ? asInteger(open) : null };
  },
});
