// Say whom somebody means, as a condition of docs/conditions.md.
// Takes: chosen segments, an attribute with its values. Gives: the condition, null for everybody.

type Term = { kind: string } & Record<string, unknown>;
type Condition = Term | { and: Term[] };

/** All that was chosen has to hold. */
export function audienceOf(segments: readonly string[], attribute: string, values: string): Condition | null {
  const named = values
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
  const terms: Term[] = [];
  if (segments.length > 0) terms.push({ kind: "segment", in: [...segments] });
  if (attribute.trim() !== "" && named.length > 0) terms.push({ kind: "attribute", name: attribute.trim(), in: named });
  const [first] = terms;
  if (first === undefined) return null;
  return terms.length === 1 ? first : { and: terms };
}
