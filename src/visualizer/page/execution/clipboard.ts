/** Taking something out of the page. */

/** Says whether it went. Outside of a secure context the browser has no clipboard to ask for, only the old command. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}

export function saveFile(
  name: string,
  parts: readonly Uint8Array[],
  type = 'application/octet-stream',
): void {
  const address = URL.createObjectURL(new Blob([...parts] as BlobPart[], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  URL.revokeObjectURL(address);
}
