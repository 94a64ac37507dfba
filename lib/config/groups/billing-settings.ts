import { DEFAULT_TARIFFS } from '../../billing/default-tariffs.ts';
import { readTariffs, TariffsError } from '../../billing/read-tariffs.ts';
import type { Tariff } from '../../billing/tariff.ts';
import { defineSettings } from '../setting.ts';
import { checkedText, text } from '../value-types.ts';

/** What usage costs. */
export const billingSettings = defineSettings({
  currency: {
    type: text('a currency, as USD', /^[A-Z]{3}$/),
    default: 'USD',
    hot: true,
    about: 'Currency of every price',
  },
  tariffs: {
    type: checkedText(readStated),
    default: '',
    hot: true,
    about: 'Price lists by month, in the file or as JSON (docs/adr/0014-billing.md); empty: the built-in example',
    structured: true,
  },
});

function readStated(raw: string): { readonly value: readonly Tariff[] } | { readonly expected: string } {
  if (raw === '') return { value: DEFAULT_TARIFFS };
  try {
    return { value: readTariffs(raw) };
  } catch (error) {
    if (error instanceof TariffsError) return { expected: error.message };
    throw error;
  }
}
