// Find where a place of a document stands in its text.
// Takes: JSON as somebody types it, and a pointer (RFC 6901). Gives: from where to where, and the line.

export interface TextPlace {
  start: number;
  end: number;
  /** from 1, as editors count */
  line: number;
}

/** The value that a pointer names, or the nearest one around it; null where the text is no JSON. */
export function placeIn(text: string, pointer: string): TextPlace | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const steps = pointer === "" ? [] : pointer.slice(1).split("/").map(unescaped);
  let [start, end] = valueAt(text, 0);
  for (const step of steps) {
    const inside = childAt(text, start, step);
    if (inside === null) break;
    [start, end] = inside;
  }
  return { start, end, line: text.slice(0, start).split("\n").length };
}

const unescaped = (step: string): string => step.replaceAll("~1", "/").replaceAll("~0", "~");

function childAt(text: string, start: number, step: string): readonly [number, number] | null {
  const isList = text[start] === "[";
  if (!isList && text[start] !== "{") return null;
  let at = blank(text, start + 1);
  for (let number = 0; text[at] !== "]" && text[at] !== "}"; number++) {
    let name = String(number);
    if (!isList) {
      const end = stringEnd(text, at);
      name = JSON.parse(text.slice(at, end)) as string;
      at = blank(text, end) + 1; // behind the colon
    }
    const value = valueAt(text, at);
    if (name === step) return value;
    at = blank(text, value[1]);
    if (text[at] === ",") at = blank(text, at + 1);
  }
  return null;
}

/** From where to where the next value goes; the text has been read as JSON before. */
function valueAt(text: string, from: number): readonly [number, number] {
  const start = blank(text, from);
  if (text[start] === '"') return [start, stringEnd(text, start)];
  if (text[start] !== "{" && text[start] !== "[") {
    let end = start;
    while (end < text.length && !/[\s,\]}]/.test(text[end] ?? "")) end++;
    return [start, end];
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') at = stringEnd(text, at) - 1;
    else if (letter === "{" || letter === "[") depth++;
    else if ((letter === "}" || letter === "]") && --depth === 0) return [start, at + 1];
  }
  return [start, text.length];
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function blank(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text[at] ?? "")) at++;
  return at;
}
