/** The little XML that S3 speaks: elements and text, no attributes but the namespace. */
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const ESCAPED: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
};
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text made safe inside an element; control characters become references, as S3 writes them. */
export function escapeXml(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and the answer must name the key
    /[<>&"'\u0000-\u0008\u000a-\u001f]/g,
    (char) => ESCAPED[char] ?? `&#x${char.charCodeAt(0).toString(16)};`,
  );
}

/** One element. Children are finished XML; a text is escaped by the caller, or by {@link textElement}. */
export function element(name: string, ...children: readonly string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** One element around a text or a number. */
export function textElement(name: string, text: string | number | boolean): string {
  return `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** A whole document: declaration, root with S3's namespace, children. */
export function xmlDocument(root: string, ...children: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${children.join('')}</${root}>`;
}

/** The inner XML of every element of this name, in order. Names of the parts read here never nest in themselves. */
export function innerXml(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    (match) => match[1] ?? '',
  );
}

/** The text of the first element of this name, references resolved; undefined when there is none. */
export function textOf(xml: string, name: string): string | undefined {
  return innerXml(xml, name)[0]?.replace(
    /&(?:(lt|gt|amp|quot|apos)|#x([0-9a-f]{1,6})|#(\d{1,7}));/gi,
    resolveReference,
  );
}

function resolveReference(whole: string, name?: string, hex?: string, decimal?: string): string {
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
  const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
}
