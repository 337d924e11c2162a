// Say what a revision changes.
// Takes: two documents. Gives: each member that differs, with its place, before and after.
import { isObject, type Json } from "../../documents/json";

export interface Change {
  place: string;
  before: string;
  after: string;
}

/** The members that differ, in the order of their places. */
export function changesOf(before: Json, after: Json): readonly Change[] {
  const [old, now] = [leavesOf(before, ""), leavesOf(after, "")];
  const places = [...new Set([...old.keys(), ...now.keys()])].sort();
  return places
    .map((place) => ({ place, before: old.get(place) ?? "", after: now.get(place) ?? "" }))
    .filter((change) => change.before !== change.after);
}

function leavesOf(value: Json, place: string): Map<string, string> {
  if (Array.isArray(value) && value.some(isObject)) {
    return merged(value.map((one, number) => leavesOf(one, `${place}[${number}]`)));
  }
  if (isObject(value)) {
    const inside = Object.entries(value).map(([name, one]) => leavesOf(one, place === "" ? name : `${place}.${name}`));
    return merged(inside);
  }
  return new Map([[place, typeof value === "string" ? value : JSON.stringify(value)]]);
}

function merged(maps: readonly Map<string, string>[]): Map<string, string> {
  return new Map(maps.flatMap((map) => [...map]));
}
