/** HTML that is safe by its making: a template escapes every text put into it; only markup goes in as it is. */
export interface Markup {
  readonly markup: string;
}

type Piece = string | number | Markup | readonly Markup[];

/** @example html`<p>${'a < b'}</p>`.markup === '<p>a &lt; b</p>' */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return { markup: parts.reduce((text, part, i) => text + write(pieces[i - 1] ?? '') + part) };
}

/** Text with `code` between backticks. */
export const prose = (text: string): Markup => ({
  markup: escapeText(text).replace(/`([^`]+)`/g, '<code>$1</code>'),
});

/** For the style of the page, which holds no text of anybody's. */
export const trusted = (markup: string): Markup => ({ markup });

export const nothing: Markup = { markup: '' };

function write(piece: Piece): string {
  if (typeof piece === 'string' || typeof piece === 'number') return escapeText(String(piece));
  return 'markup' in piece ? piece.markup : piece.map(({ markup }) => markup).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeText = (text: string) => text.replace(/[&<>"']/g, (char) => ENTITIES[char] as string);
