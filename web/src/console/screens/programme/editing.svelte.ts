// Hold the programme's document while somebody edits it.
// Takes: the client. Gives: text, what stands against it, what would change, and the way into force.
import { ApiProblem, dataOf, type Api, type ProblemFault } from "../../../kit/api";
import type { components } from "../../../kit/schema";
import { changesOf } from "./document_diff";

type Document = components["schemas"]["ProgrammeBody"]["document"];

export class Editing {
  text = $state("");
  /** what is in force; null before the first programme */
  current = $state.raw<components["schemas"]["ProgrammeBody"] | null>(null);
  faults = $state.raw<readonly ProblemFault[]>([]);
  verdict = $state<"unread" | "good" | "same" | "faulty" | "overtaken">("unread");
  problem = $state.raw<unknown>(null);
  isBusy = $state(false);

  constructor(
    private readonly api: Api,
    private readonly site: string,
  ) {}

  /** The document as typed; null where the text is no JSON object. */
  get document(): Document | null {
    try {
      const read: unknown = JSON.parse(this.text);
      return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Document) : null;
    } catch {
      return null;
    }
  }
  get changes() {
    const typed = this.document;
    return typed === null ? [] : changesOf(this.current?.document ?? {}, typed);
  }

  async load(): Promise<void> {
    await this.attempt(async () => {
      const { revisions } = await dataOf(this.api.GET("/v1/operator/programme/revisions"));
      this.current = revisions.length === 0 ? null : await dataOf(this.api.GET("/v1/operator/programme"));
      this.write(this.current?.document ?? exampleFor(this.site));
    });
  }

  /** Take a document that somebody has changed elsewhere than in the text. */
  write(document: Record<string, unknown>): void {
    this.text = JSON.stringify(document, null, 2);
    this.touched();
  }

  /** What was said of an older text says nothing of this one. */
  touched(): void {
    this.verdict = "unread";
    this.faults = [];
  }

  async check(): Promise<void> {
    await this.judged(async (body) => {
      const { is_new } = await dataOf(this.api.POST("/v1/operator/programme/check", { body }));
      this.verdict = is_new ? "good" : "same";
    });
  }

  /** Put it into force against the revision that was read; gives its number. */
  async start(): Promise<number | null> {
    let number: number | null = null;
    await this.judged(async (body) => {
      const header = { "If-Match": this.current === null ? "*" : `"${this.current.revision}"` };
      this.current = await dataOf(this.api.POST("/v1/operator/programme/revisions", { body, params: { header } }));
      this.write(this.current.document);
      number = this.current.revision;
    });
    return number;
  }

  private async judged(deed: (body: Document) => Promise<void>): Promise<void> {
    const body = this.document;
    if (body === null) return this.notJson();
    this.touched();
    await this.attempt(async () => {
      try {
        await deed(body);
      } catch (problem) {
        this.judge(problem);
      }
    });
  }

  private judge(problem: unknown): void {
    if (!(problem instanceof ApiProblem)) throw problem;
    if (problem.status === 412) this.verdict = "overtaken";
    else if (problem.code === "validation_failed") {
      this.verdict = "faulty";
      this.faults = problem.faults.length > 0 ? problem.faults : [{ pointer: "", detail: problem.message }];
    } else throw problem;
  }

  private notJson(): void {
    try {
      JSON.parse(this.text);
      this.faults = [{ pointer: "", detail: "{ }" }];
    } catch (error) {
      this.faults = [{ pointer: "", detail: error instanceof Error ? error.message : String(error) }];
    }
    this.verdict = "faulty";
  }

  private async attempt(deed: () => Promise<void>): Promise<void> {
    [this.isBusy, this.problem] = [true, null];
    try {
      await deed();
    } catch (problem) {
      this.problem = problem;
    } finally {
      this.isBusy = false;
    }
  }
}

/** Where to begin: a point for each euro, a hundred of them worth one. */
function exampleFor(site: string): Document {
  const earns = { kind: "per_amount", amount_minor: 1, per_minor: 100, currency: "EUR" };
  return {
    version: 1,
    site,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    units: [{ unit: "points", worth_minor_per_100: 100 }],
    earning: [{ rule: "each-euro", unit: "points", earns }],
  };
}
