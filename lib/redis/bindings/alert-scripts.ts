/** Bindings: alerts and their webhooks. */
import { asInteger, asList, asText } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import claimDueAlertsLua from '../scripts/claim-due-alerts.lua';
import forgetRefusalsLua from '../scripts/forget-refusals.lua';
import raiseAlertLua from '../scripts/raise-alert.lua';
import replaceAlertLua from '../scripts/replace-alert.lua';

export const claimDueAlerts = defineScript({
  name: 'claim-due-alerts',
  source: claimDueAlertsLua,
  keys: ['due'],
  args: ['nowMs', 'untilMs', 'limit'],
  reply: (raw) => asList(raw).map(asText),
});

export const forgetRefusals = defineScript({
  name: 'forget-refusals',
  source: forgetRefusalsLua,
  keys: ['refusals'],
  args: ['...seen'],
  reply: (raw) => asInteger(asList(raw, 1)[0]),
});

export const raiseAlert = defineScript({
  name: 'raise-alert',
  source: raiseAlertLua,
  keys: ['alerts', 'gate'],
  args: ['mark', 'threshold', 'amount', 'id', 'alert', 'keepFrom', 'maxAlerts'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});

export const replaceAlert = defineScript({
  name: 'replace-alert',
  source: replaceAlertLua,
  keys: ['alerts'],
  args: ['id', 'before', 'after'],
  reply: (raw) => asInteger(asList(raw, 1)[0]) === 1,
});
