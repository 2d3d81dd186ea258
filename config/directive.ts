/** A directive of the articles that the mission comes from, and what became of it. */
export interface Directive {
  /** The article: its number in the table of sources. */
  article: "000" | "001" | "002" | "003" | "004" | "all";
  /** What the article says, in its own words. */
  says: string;
  /** Why it is applied as it is, or what replaces it and why. */
  why: string;
}
