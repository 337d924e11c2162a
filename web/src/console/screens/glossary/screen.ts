// Glossary: every figure with its formula, what it is grouped by, and its source.
import type { ScreenCard } from "../../screens";

const card: ScreenCard = {
  name: "glossary",
  order: 39,
  title: { de: "Was die Zahlen heißen", en: "What the figures mean" },
  group: "insight",
  roles: ["operator", "merchandiser", "store_admin"],
};
export default card;
