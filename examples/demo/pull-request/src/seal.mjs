/** A seal over the text, so that a printed invoice can be checked: FNV-1a over its characters, in eight rounds. */
export function sealInvoice(text) {
  let seal = 0x811c9dc5;
  for (let round = 0; round < 8; round++)
    for (let i = 0; i < text.length; i++) seal = Math.imul(seal ^ (text.charCodeAt(i) + round), 0x01000193);
  return (seal >>> 0).toString(16).padStart(8, '0');
}
