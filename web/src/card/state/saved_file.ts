// Let the browser save a file. Takes: a name and its content. Gives: nothing.

const KEPT_MS = 60_000; // a phone may ask where to save before it reads

/** Save a text as a file of this phone. */
export function saveFile(name: string, content: string, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
