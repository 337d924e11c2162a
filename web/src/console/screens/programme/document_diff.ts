// Say what changed from one document to another.
// Takes: two values of JSON. Gives: each place that came, went or changed, in the order of the paths.
// Entries of lists that have a name are compared by it, so that one more at the top is one change.

export interface Change {
  path: string;
  kind: "added" | "removed" | "changed";
  before: string;
  after: string;
}
type Json = unknown;
const NAMES = ["unit", "rule", "reward", "tier", "survey", "partner", "campaign"] as const;

/** What changed; nothing, where both say the same. */
export function changesOf(before: Json, after: Json, path = ""): readonly Change[] {
  if (isObject(before) && isObject(after)) return ofMembers(before, after, path);
  if (Array.isArray(before) && Array.isArray(after)) {
    const isNamed = areNamed(before) && areNamed(after); // else their places tell them apart
    return ofMembers(asMembers(before, isNamed), asMembers(after, isNamed), path);
  }
  const [was, is] = [written(before), written(after)];
  return was === is ? [] : [{ path, kind: "changed", before: was, after: is }];
}

function ofMembers(before: Record<string, Json>, after: Record<string, Json>, path: string): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): readonly Change[] => {
    const at = path === "" ? name : `${path} › ${name}`;
    if (!(name in before)) return [{ path: at, kind: "added", before: "", after: written(after[name]) }];
    if (!(name in after)) return [{ path: at, kind: "removed", before: written(before[name]), after: "" }];
    return changesOf(before[name], after[name], at);
  });
}

function areNamed(entries: readonly Json[]): boolean {
  const names = entries.map(nameOf);
  return !names.includes(null) && new Set(names).size === names.length;
}

function asMembers(entries: readonly Json[], isNamed: boolean): Record<string, Json> {
  return Object.fromEntries(entries.map((entry, place) => [(isNamed && nameOf(entry)) || `${place + 1}`, entry]));
}

function nameOf(entry: Json): string | null {
  if (!isObject(entry)) return null;
  const name = NAMES.map((one) => entry[one]).find((one) => typeof one === "string");
  return typeof name === "string" ? name : null;
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function written(value: Json): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
