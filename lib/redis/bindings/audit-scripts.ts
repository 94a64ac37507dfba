/** Bindings: the audit log. */
import { asInteger, asList } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import appendAuditLua from '../scripts/append-audit.lua';
import sealAuditLua from '../scripts/seal-audit.lua';

export const appendAudit = defineScript({
  name: 'append-audit',
  source: appendAuditLua,
  keys: ['pending', 'seen'],
  args: ['id', 'json'],
  // An administrator who frees memory is logged first: some hundred bytes.
  runsWhenFull: true,
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const sealAudit = defineScript({
  name: 'seal-audit',
  source: sealAuditLua,
  keys: ['pending', 'log', 'head'],
  args: ['oldHead', 'newHead', 'taken', 'digest', 'firstSeq', '...sealed'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});
