// Write a survey question by question.
// Takes: what was typed. Gives: the body that the API takes, or what is missing and where.
import type { components } from "../../../kit/schema";

type Schemas = components["schemas"];
export type SurveyBody = Schemas["SurveyBody"];
export type QuestionKind = Schemas["QuestionKind"];

export interface QuestionDraft {
  kind: QuestionKind;
  de: string;
  en: string;
  /** one option a line, as both languages say it: "Garten / Garden" */
  options: string;
  scale_max: number;
  is_required: boolean;
}
export interface SurveyDraft {
  name: string;
  de: string;
  en: string;
  opens: string;
  closes: string;
  questions: readonly QuestionDraft[];
}
export type DraftFault = "name" | "titles" | "span" | "no_question" | "question_texts" | "options";

export const BLANK: QuestionDraft = { kind: "scale", de: "", en: "", options: "", scale_max: 5, is_required: true };
const NAME = /^[a-z0-9][a-z0-9-]{2,62}$/;

/** What stands against publishing, first things first; null where nothing does. */
export function faultOf(draft: SurveyDraft): DraftFault | null {
  if (!NAME.test(draft.name)) return "name";
  if (draft.de.trim() === "" || draft.en.trim() === "") return "titles";
  if (!(Date.parse(draft.opens) < Date.parse(draft.closes))) return "span";
  if (draft.questions.length === 0) return "no_question";
  if (draft.questions.some((one) => one.de.trim() === "" || one.en.trim() === "")) return "question_texts";
  return draft.questions.some((one) => hasOptions(one.kind) && optionsOf(one).length < 2) ? "options" : null;
}

export function hasOptions(kind: QuestionKind): boolean {
  return kind === "one" || kind === "many";
}

/** The draft as the API takes it. */
export function bodyOf(draft: SurveyDraft): SurveyBody {
  return {
    titles: { de: draft.de.trim(), en: draft.en.trim() },
    opens: new Date(draft.opens).toISOString(),
    closes: new Date(draft.closes).toISOString(),
    questions: draft.questions.map((one, place) => {
      const options = hasOptions(one.kind) ? optionsOf(one) : [];
      return {
        question: `q${place + 1}`,
        kind: one.kind,
        texts: { de: one.de.trim(), en: one.en.trim() },
        options: options.map((_, number) => `o${number + 1}`),
        option_texts: options.length === 0 ? {} : { de: options.map(([de]) => de), en: options.map(([, en]) => en) },
        scale_max: one.scale_max,
        is_required: one.is_required,
      };
    }),
  };
}

function optionsOf(question: QuestionDraft): readonly (readonly [string, string])[] {
  return question.options
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [de = "", en = de] = line.split("/").map((part) => part.trim());
      return [de, en] as const;
    });
}
