/** Bindings: invoices and usage. */
import { asInteger, asList, asText, asTextOrNull } from '../reply-shape.ts';
import { defineScript } from '../script.ts';
import addAdjustmentLua from '../scripts/add-adjustment.lua';
import closePeriodLua from '../scripts/close-period.lua';
import readBillingLua from '../scripts/read-billing.lua';
import readBillingRunLua from '../scripts/read-billing-run.lua';
import readUsageLua from '../scripts/read-usage.lua';

export const addAdjustment = defineScript({
  name: 'add-adjustment',
  source: addAdjustmentLua,
  keys: ['record', 'gate', 'billing', 'erased'],
  args: ['field', 'amount', 'reason', 'entry', 'maxFields'],
  reply: (raw) => {
    const [code, adjustment, record, outbox] = asList(raw);
    if (code === 3) return { state: 'no_tenant', erased: adjustment === 1 } as const;
    if (code === 4) return { state: 'too_many' } as const;
    return { state: 'added', adjustment: asText(adjustment), record: asText(record), outbox: asText(outbox) } as const;
  },
});

export const closePeriod = defineScript({
  name: 'close-period',
  source: closePeriodLua,
  keys: ['billing'],
  args: ['field', 'invoice', 'endMs', '...changes'],
  reply: (raw) => {
    const [code, invoice] = asList(raw);
    return code === 2 ? ('not_ended' as const) : { closedNow: code === 1, invoice: asText(invoice) };
  },
});

export const readBilling = defineScript({
  name: 'read-billing',
  source: readBillingLua,
  keys: ['record', 'gate', 'billing', 'erased'],
  args: ['invoice', '...fields'],
  reply: (raw) => {
    const [nowMs, record, values, names, found, erased] = asList(raw, 6);
    return {
      nowMs: asInteger(nowMs),
      record: asTextOrNull(record),
      values: asList(values).map(asTextOrNull),
      names: asList(names).map(asText),
      found: asList(found).map(asText),
      erased: erased === 1,
    };
  },
});

export const readBillingRun = defineScript({
  name: 'read-billing-run',
  source: readBillingRunLua,
  keys: ['closed', 'behind'],
  args: [],
  reply: (raw) => {
    const [nowMs, closed, behind] = asList(raw, 3);
    return { nowMs: asInteger(nowMs), closed: asTextOrNull(closed), behind: asList(behind).map(asText) };
  },
});

export const readUsage = defineScript({
  name: 'read-usage',
  source: readUsageLua,
  keys: ['gate', 'erased'],
  args: ['...fields'],
  reply: (raw) => {
    const [nowMs, values, erased] = asList(raw, 3);
    return { nowMs: asInteger(nowMs), values: asList(values).map(asTextOrNull), erased: erased === 1 };
  },
});
