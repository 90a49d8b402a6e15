// Makes a name for a URL of a title. What it throws is the error side of its result.
export function slug(title, max) {
  const plain = title.normalize('NFKD').replace(/\p{Diacritic}/gu, '');
  const words = plain.toLowerCase().match(/[a-z0-9]+/g);
  if (words === null) throw 'nothing is left of the title';
  return words.join('-').slice(0, max ?? 60);
}
