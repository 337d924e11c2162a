// Name the bodies of the API that the card uses. Takes: the generated schema. Gives: short names.
import type { components } from "../kit/schema";

type Bodies = components["schemas"];
/** The client gives points as plain arrays, also where the document says that they are pairs. */
type Points<T> = T extends [number, number] ? number[] : T extends object ? { [K in keyof T]: Points<T[K]> } : T;
export type Offer = Bodies["OfferBody"];
export type Balance = Bodies["BalanceBody"];
export type Standing = Bodies["StandingBody"];
export type Brand = Bodies["BrandBody"];
export type Codes = Bodies["CardCodesBody"];
export type Consent = Bodies["ConsentBody"];
export type ConsentText = Bodies["ConsentTextBody"];
export type Purpose = Bodies["Purpose"];
export type Suspension = Bodies["SuspensionBody"];
export type Decision = Bodies["DecisionBody"];
export type Plan = Points<Bodies["PlanBody"]>;
export type Place = Bodies["PlaceBody"];
export type Route = Bodies["RouteBody"];
export type Product = Bodies["FoundProductBody"];
export type Reward = Bodies["RewardBody"];
export type HistoryEntry = Bodies["HistoryEntryBody"];
export type Survey = Bodies["AskedSurveyBody"];
export type Question = Bodies["AskedQuestionBody"];
export type OwnCase = Bodies["OwnCaseBody"];
export type Pairing = Bodies["PairingBody"];
export type Contact = Bodies["ContactBody"];
