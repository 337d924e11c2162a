// Read what the server says on the open stream. Takes: texts. Gives: frames; what is unknown is null,
// since an older app must live with a newer server.
import type { Balance, Offer } from "../api_types";

export type Frame =
  | { type: "hello"; cursor: number; has_more: boolean }
  | { type: "offer"; offer: Offer }
  | { type: "points"; balances: readonly Balance[] }
  | { type: "case_answer"; case: string; text: string };

/** Read one frame. */
export function frameOf(text: unknown): Frame | null {
  if (typeof text !== "string") return null;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== "object" || read === null) return null;
  const frame = read as Record<string, unknown>;
  switch (frame["type"]) {
    case "hello":
      return typeof frame["cursor"] === "number" ? (frame as unknown as Frame) : null;
    case "offer":
      return isOffer(frame["offer"]) ? (frame as unknown as Frame) : null;
    case "points":
      return Array.isArray(frame["balances"]) ? (frame as unknown as Frame) : null;
    case "case_answer":
      return typeof frame["case"] === "string" ? (frame as unknown as Frame) : null;
    default:
      return null;
  }
}

function isOffer(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return false;
  const offer = given as Record<string, unknown>;
  return typeof offer["offer"] === "string" && typeof offer["expires_at"] === "string";
}

const [WAIT_MS_MIN, WAIT_MS_MAX] = [500, 30_000];

/** How long to wait before the next try: longer each time, and not the same for all phones. */
export function waitMs(failures: number, chance: number): number {
  const longest = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(failures, 10));
  return longest / 2 + (chance * longest) / 2;
}
