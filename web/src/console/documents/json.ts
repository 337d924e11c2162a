// Look into JSON whose form only the server knows.
// Takes: values out of documents. Gives: the same with a type, or what stands for nothing.

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

/** The object, or an empty one. */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** Whether a value is an object and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The list, or an empty one. */
export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** The texts of a list. */
export function textsOf(value: Json | undefined): string[] {
  return listOf(value).map(String);
}

/** The text, or an empty one. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** The number, or null. */
export function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null;
}

/** Leave out what is empty: null, "", lists and objects without anything; 0 and false stay. */
export function withoutEmpty(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([name, one]): [string, Json] => [name, withoutEmpty(one)])
    .filter(([, one]) => !isEmpty(one));
  return Object.fromEntries(kept);
}

function isEmpty(value: Json): boolean {
  if (value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
