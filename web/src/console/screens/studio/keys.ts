// Say what a key does while the plan has the focus: everything that the pointer can do.
// Takes: a key with its modifiers. Gives: a command; null where the key is not ours.
import { toolOf, type Tool } from "./tools";

export type Command =
  | { do: "step"; dx_m: number; dy_m: number }
  | { do: "push"; dx_m: number; dy_m: number }
  | { do: "use"; tool: Tool }
  | { do: "set" | "finish" | "back" | "escape" | "delete" | "undo" | "redo" };
export interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

const STEP_M = 0.1;
const STRIDE_M = 1;
const ARROWS: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export function commandOf(pressed: Pressed): Command | null {
  const isCommand = pressed.ctrlKey || pressed.metaKey;
  const key = pressed.key.toLowerCase();
  if (isCommand && key === "z") return { do: pressed.shiftKey ? "redo" : "undo" };
  if (isCommand && key === "y") return { do: "redo" };
  if (isCommand) return null;
  const arrow = ARROWS[pressed.key];
  if (arrow !== undefined) {
    const step_m = pressed.shiftKey ? STRIDE_M : STEP_M;
    return { do: pressed.altKey ? "push" : "step", dx_m: arrow[0] * step_m, dy_m: arrow[1] * step_m };
  }
  const tool = toolOf(pressed.key);
  if (tool !== null) return { do: "use", tool };
  if (key === "enter") return { do: "set" };
  if (key === "f") return { do: "finish" };
  if (key === "backspace") return { do: "back" };
  if (key === "escape") return { do: "escape" };
  if (key === "delete") return { do: "delete" };
  return null;
}
