// Do what a key says to the editor. Takes: a key event on the plan. Gives: whether it was ours.
import type { FloorMap } from "../../map/floor_map";
import { areaOf, isInside } from "../../map/outlines";
import { featuresOn, outlineOf } from "../../map/site_map";
import { pointsOf, toMm } from "./edits";
import type { Editor } from "./editor.svelte";
import { commandOf, type Command } from "./keys";

const NEAR_M = 0.5;

export function keyed(event: KeyboardEvent, editor: Editor, map: FloorMap): boolean {
  const command = commandOf(event);
  if (command === null) return false;
  obey(command, editor, event.shiftKey);
  if (command.do === "step") map.bringIntoSight(...editor.crosshair.point);
  return true;
}

function obey(command: Command, editor: Editor, isMore: boolean): void {
  switch (command.do) {
    case "step":
      // The keys say exactly where: nothing is caught, only the millimetre is kept.
      editor.crosshair = { point: [toMm(editor.crosshair.point[0] + command.dx_m), toMm(editor.crosshair.point[1] + command.dy_m)], by: "nothing" };
      return;
    case "push":
      return editor.moveChosen(command.dx_m, command.dy_m);
    case "use":
      return editor.use(command.tool);
    case "set":
      if (editor.tool === "select") return editor.choose(idAt(editor), isMore);
      return editor.setPoint(editor.crosshair.point);
    case "finish":
      return editor.finish();
    case "back":
      return editor.back();
    case "escape":
      return editor.escape();
    case "delete":
      return editor.deleteChosen();
    case "undo":
      return editor.undo();
    case "redo":
      return editor.redo();
    default:
      command satisfies never;
  }
}

/** What lies under the crosshair: a point or corner near by, else the smallest ground around it. */
function idAt(editor: Editor): string | null {
  const [x, y] = editor.crosshair.point;
  const features = featuresOn(editor.document, editor.floor);
  const near = features.find((feature) => pointsOf(feature, editor.floor).some((point) => Math.hypot(point[0] - x, point[1] - y) < NEAR_M) && feature.geometry?.type !== "Polygon");
  if (near !== undefined) return near.id ?? null;
  const around = features.filter((feature) => isInside(outlineOf(feature), x, y));
  around.sort((one, other) => areaOf(outlineOf(one)) - areaOf(outlineOf(other)));
  return around[0]?.id ?? null;
}
