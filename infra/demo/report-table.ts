import Table from 'cli-table3';

/** `green` for what was shown, `bold` for headings; gives the text back as it is where no colour is wanted. */
export type Paint = (style: 'green' | 'bold' | 'yellow', text: string) => string;

/** The first column on the left, numbers on the right. */
export function table(head: readonly string[], rows: readonly string[][], paint: Paint): string {
  const colAligns = head.map((_, column) => (column === 0 ? ('left' as const) : ('right' as const)));
  const grid = new Table({ head: head.map((name) => paint('bold', name)), colAligns, style: { head: [], border: [] } });
  grid.push(...rows);
  return grid.toString();
}

export const count = (value: number) => value.toLocaleString('en');
