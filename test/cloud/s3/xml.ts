import { S3Error } from './errors.ts';

/** A parsed element: its local name, its own text and its child elements in order. */
export interface XmlNode {
  name: string;
  text: string;
  children: XmlNode[];
}

const MAX_DEPTH = 16;
const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const TOKEN =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;

/** Escapes text for element content. Control characters become references, as S3 sends them. */
export function escapeText(value: string): string {
  return value.replace(/[&<>"\p{Cc}]/gu, (character) => {
    if (character === '&') return '&amp;';
    if (character === '<') return '&lt;';
    if (character === '>') return '&gt;';
    if (character === '"') return '&quot;';
    return `&#x${character.charCodeAt(0).toString(16)};`;
  });
}

/** `<name>value</name>` with the value escaped; nothing at all when the value is undefined. */
export function leaf(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeText(String(value))}</${name}>`;
}

/** `<name>…</name>` around elements that are XML already. */
export function branch(name: string, ...children: string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** A whole document in S3's namespace. */
export function document(root: string, ...children: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${children.join('')}</${root}>`;
}

function unescapeText(value: string): string {
  return value.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));|&/g, (_, decimal, hex, name) => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
    if (code !== undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    const named = name === undefined ? undefined : NAMED[name];
    if (named === undefined) throw new S3Error('MalformedXML');
    return named;
  });
}

/**
 * Parses the small documents clients send to S3: elements, text, references, CDATA.
 * A document type, deeper nesting than 16 or anything malformed throws `MalformedXML`.
 */
export function parseXml(source: string): XmlNode {
  const top: XmlNode = { name: '', text: '', children: [] };
  const open = [top];
  TOKEN.lastIndex = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (TOKEN.lastIndex < source.length) {
    const token = TOKEN.exec(source);
    const parent = open.at(-1)!;
    if (!token) throw new S3Error('MalformedXML');
    const [, cdata, closing, qualified, , empty, text] = token;
    if (cdata !== undefined) parent.text += cdata;
    else if (text !== undefined) parent.text += unescapeText(text);
    else if (qualified !== undefined) {
      const name = qualified.slice(qualified.indexOf(':') + 1);
      if (closing) {
        if (open.length === 1 || parent.name !== name) throw new S3Error('MalformedXML');
        open.pop();
      } else {
        const node: XmlNode = { name, text: '', children: [] };
        parent.children.push(node);
        if (!empty && open.push(node) > MAX_DEPTH) throw new S3Error('MalformedXML');
      }
    }
  }
  const root = top.children[0];
  if (open.length !== 1 || !root || top.children.length !== 1 || top.text.trim() !== '') {
    throw new S3Error('MalformedXML');
  }
  return root;
}

/** Parses a body whose root element must have this name. */
export function parseDocument(body: Buffer, root: string): XmlNode {
  const node = parseXml(body.toString('utf8'));
  if (node.name !== root) throw new S3Error('MalformedXML');
  return node;
}

/** The child elements with this name. */
export function childrenOf(node: XmlNode, name: string): XmlNode[] {
  return node.children.filter((child) => child.name === name);
}

/** The text of the first child element with this name. */
export function childText(node: XmlNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.text;
}
