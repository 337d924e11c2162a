// Edit the conditions of a campaign as a tree.
// Takes: the document of docs/conditions.md. Gives: a tree whose nodes have names of their own, so that a
// form may move and remove them, the document again, and the place of each node as the server names it.
import { isObject, listOf, withoutEmpty, type Json, type JsonObject } from "../../documents/json";
import { begun, TERMS } from "./members";

export type Joint = "and" | "or" | "not";
export type Node =
  | { id: number; joint: Joint; parts: Node[] }
  | { id: number; joint: null; term: JsonObject };

let count = 0;
const numbered = (): number => ++count;

/** The tree of a document; null where there is none. */
export function treeOf(document: Json | undefined): Node | null {
  if (!isObject(document)) return null;
  for (const joint of ["and", "or"] as const) {
    if (joint in document) {
      const parts = listOf(document[joint]).map(treeOf).filter((node) => node !== null);
      return { id: numbered(), joint, parts };
    }
  }
  if ("not" in document) {
    const part = treeOf(document["not"]);
    return { id: numbered(), joint: "not", parts: part === null ? [] : [part] };
  }
  return { id: numbered(), joint: null, term: { ...document } };
}

/** The document of a tree; a joint without parts says nothing and is left out. */
export function documentOf(node: Node | null): JsonObject | null {
  if (node === null) return null;
  if (node.joint === null) return withoutEmpty(node.term) as JsonObject;
  const parts = node.parts.map(documentOf).filter((part) => part !== null);
  const [first] = parts;
  if (first === undefined) return null;
  return node.joint === "not" ? { not: first } : { [node.joint]: parts };
}

/** A term of a kind with what it begins with. */
export function termOf(kind: string): Node {
  return { id: numbered(), joint: null, term: begun(TERMS, kind) };
}

/** A joint around parts. */
export function joined(joint: Joint, parts: Node[]): Node {
  return { id: numbered(), joint, parts };
}

/** The tree with one more term: beside the others, or alone. */
export function withTerm(root: Node | null, kind: string): Node {
  const added = termOf(kind);
  if (root === null) return added;
  if (root.joint === "and") return { ...root, parts: [...root.parts, added] };
  return joined("and", [root, added]);
}

/** The tree with a node put in the place of the one of its name; null removes it. */
export function replaced(root: Node | null, id: number, by: Node | null): Node | null {
  if (root === null || root.id === id) return by;
  if (root.joint === null) return root;
  const parts = root.parts.map((part) => replaced(part, id, by)).filter((part) => part !== null);
  return parts.length === 0 ? null : { ...root, parts };
}

/** Where the server sees a part of a node: `conditions.and[2]`. */
export function placeOfPart(place: string, joint: Joint, number: number): string {
  return joint === "not" ? `${place}.not` : `${place}.${joint}[${number}]`;
}
