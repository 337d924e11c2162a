// Collect the answers to a survey. Takes: questions and what was chosen. Gives: what the API takes.
import type { Question } from "../api_types";

export type Chosen = Record<string, string | number | readonly string[]>;
export type Answers = Record<string, string | number | string[]>;

/** Return the answers that were given; a question that was left out is not answered. */
export function answersOf(questions: readonly Question[], chosen: Chosen): Answers {
  const found: Answers = {};
  for (const { question } of questions) {
    const given = chosen[question];
    if (given === undefined || given === "") continue;
    if (typeof given !== "object") found[question] = typeof given === "string" ? given.trim() : given;
    else if (given.length > 0) found[question] = [...given];
  }
  return found;
}

/** The questions that must be answered and are not. */
export function missingOf(questions: readonly Question[], chosen: Chosen): readonly string[] {
  const answered = answersOf(questions, chosen);
  return questions
    .filter((one) => one.is_required && answered[one.question] === undefined)
    .map((one) => one.question);
}
