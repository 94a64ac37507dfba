/** Names and values as events hold them: one string a name. */

/** Duplicates are joined by commas. Names are the caller's: `__proto__` and `constructor` are names like any other. */
export function appendValue(record: Record<string, string>, name: string, value: string): void {
  const known = Object.hasOwn(record, name) ? `${record[name]},` : '';
  if (name !== '__proto__') record[name] = known + value;
  else
    Object.defineProperty(record, name, { value: known + value, enumerable: true, configurable: true, writable: true });
}
