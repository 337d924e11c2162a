// Keep the draft at the server in step with what is drawn: saved by itself a moment after each change,
// one request at a time. Whoever saved first is not overwritten: the conflict is shown.
// Takes: the document of the editor. Gives: version, problems, backgrounds, and how saving stands.
import { ApiProblem } from "../../../kit/api";
import { askJson } from "../../asking";
import type { SiteMapDocument } from "../../map/site_map";

export interface Background {
  background: string;
  floor: number;
  x_m: number;
  y_m: number;
  m_per_px: number;
  rotation_deg: number;
  width_px: number;
  height_px: number;
  opacity: number;
}
export interface MapProblem {
  feature: string | null;
  floor: number | null;
  at: readonly number[] | null;
  field: string | null;
  message: string;
  remedy: string;
}
interface DraftBody {
  version: number;
  is_kept: boolean;
  notice?: string | null;
  document: SiteMapDocument;
  backgrounds: readonly Background[];
  problems: readonly MapProblem[];
}
export interface Revision {
  revision: number;
  published_at: string;
  published_by: string;
  note: string;
}
export type SaveState = "saved" | "waiting" | "saving" | "conflict" | "failed";

const PATH = "/v1/operator/site-map";
const WAIT_MS = 800;
const AGAIN_MS = 4_000;

export class Draft {
  state = $state<SaveState>("saved");
  version = $state(0);
  isKept = $state(false);
  notice = $state<string | null>(null);
  problems = $state.raw<readonly MapProblem[]>([]);
  backgrounds = $state.raw<readonly Background[]>([]);
  fault = $state.raw<unknown>(null);
  private timer = 0;
  private isDirty = false;

  constructor(private readonly document: () => SiteMapDocument) {}

  /** Read the draft; the caller puts the document into the editor. */
  async load(): Promise<SiteMapDocument> {
    clearTimeout(this.timer);
    this.isDirty = false;
    const body = await askJson<DraftBody>("GET", `${PATH}/draft`);
    this.take(body);
    this.backgrounds = body.backgrounds;
    [this.state, this.fault] = ["saved", null];
    return body.document;
  }

  /** Something has changed: save soon. */
  touch(): void {
    this.isDirty = true;
    if (this.state === "saving" || this.state === "conflict") return;
    this.state = "waiting";
    this.later(WAIT_MS);
  }

  setBackgrounds(backgrounds: readonly Background[]): void {
    this.backgrounds = backgrounds;
    this.touch();
  }

  /** Save now; returns whether what is drawn is what the server has. */
  async save(): Promise<boolean> {
    clearTimeout(this.timer);
    if (this.state === "conflict" || this.state === "saving") return false;
    while (this.isDirty) {
      this.isDirty = false;
      this.state = "saving";
      const body = { version: this.version, document: this.document(), backgrounds: this.backgrounds };
      try {
        this.take(await askJson<DraftBody>("PUT", `${PATH}/draft`, body));
        [this.state, this.fault] = ["saved", null];
      } catch (problem) {
        this.lost(problem);
        return false;
      }
    }
    return true;
  }

  /** Throw the draft away. */
  async discard(): Promise<void> {
    await askJson("DELETE", `${PATH}/draft`);
  }

  /** Put the draft into force; returns the number of the revision. */
  async publish(note: string): Promise<number> {
    if (!(await this.save())) throw this.fault instanceof Error ? this.fault : new Error(this.state);
    try {
      const made = await askJson<{ revision: number }>("POST", `${PATH}/publish`, { version: this.version, note });
      return made.revision;
    } catch (problem) {
      if (problem instanceof ApiProblem) this.problems = problemsIn(problem.body) ?? this.problems;
      throw problem;
    }
  }

  async revisions(): Promise<readonly Revision[]> {
    return (await askJson<{ revisions: readonly Revision[] }>("GET", `${PATH}/revisions`)).revisions;
  }

  close(): void {
    clearTimeout(this.timer);
    void this.save();
  }

  private take(body: DraftBody): void {
    this.version = body.version;
    this.isKept = body.is_kept;
    this.notice = body.notice ?? null;
    this.problems = body.problems;
  }

  private lost(problem: unknown): void {
    this.fault = problem;
    this.isDirty = true;
    if (problem instanceof ApiProblem && problem.status === 409) {
      this.state = "conflict";
      return;
    }
    this.state = "failed";
    // What the server cannot read will not get better by itself; a lost line will.
    if (problem instanceof ApiProblem && (problem.isOffline || problem.status >= 500)) this.later(AGAIN_MS);
  }

  private later(wait_ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), wait_ms);
  }
}

/** The list of what is wrong with a map, from the answer to publishing. */
export function problemsIn(body: unknown): readonly MapProblem[] | null {
  const problems = typeof body === "object" && body !== null && "problems" in body ? body.problems : null;
  return Array.isArray(problems) ? (problems as MapProblem[]) : null;
}
