// Save an answer of the API as a file.
// Takes: a call whose answer is a blob, and a name. Gives: the browser's own download; the token of the
// session goes along in the header, so that no address with a secret in it exists.

/** Let the browser save a blob under a name. */
export function saveBlob(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Not at once: the browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
