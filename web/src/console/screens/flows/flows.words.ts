// Words of the flows screen.

export const FLOW_WORDS = {
  de: {
    title: "Laufwege", level: "Zonen", shelf: "Regale", aisle: "Gänge", department: "Abteilungen", category: "Warengruppen",
    stops_only: "Nur von Stopp zu Stopp", flows: "Von Zone zu Zone", shown: "Die {shown} größten von {all} gezeigten Strömen",
    from: "Von", to: "Nach", visitors: "Besucher", share_next: "Anteil der Nächsten", share_previous: "Anteil der Vorigen",
    matrix: "Matrix von–nach", matrix_about: "Leere Felder: zurückgehalten oder niemand. Die {count} Zonen mit den meisten Besuchern.", from_down_to_right: "von ↓ nach →",
    paths: "Häufigste Wege", length: "Zonen je Weg", path: "Weg",
    around: "Davor und danach", zone: "Zone", came_from: "Davor", went_to: "Danach", withheld_why: "Ströme von weniger als {k} Besuchern werden zurückgehalten; Anteile sind solche der gezeigten.",
    move: "Was, wenn ein Regal umzieht?", move_from: "Warengruppe von", move_to: "an den Platz von", estimate: "Schätzen",
    figure: "Größe", stoppers: "Stopps", now: "Jetzt", expected: "Erwartet", change: "Veränderung", low: "Untere Grenze (95 %)", high: "Obere Grenze (95 %)",
    if_nobody: "wenn niemand ihretwegen kam", if_all: "wenn alle ihretwegen kamen", assumptions: "Angenommen wird",
    ways_stay: "Die Wege bleiben, wie sie sind; wer umkehrte, kam der Warengruppe wegen; Vorbeigehende halten anderswo ebenso oft; sonst zieht nichts um. Es ist kein Versuch.",
    save: "Laufwege",
  },
  en: {
    title: "Flows", level: "Zones", shelf: "Shelves", aisle: "Aisles", department: "Departments", category: "Categories",
    stops_only: "Only from stop to stop", flows: "From zone to zone", shown: "The {shown} largest of {all} told flows",
    from: "From", to: "To", visitors: "Visitors", share_next: "Share of next", share_previous: "Share of previous",
    matrix: "From-to matrix", matrix_about: "Empty fields: withheld or nobody. The {count} zones with the most visitors.", from_down_to_right: "from ↓ to →",
    paths: "Top paths", length: "Zones of a path", path: "Path",
    around: "Before and after", zone: "Zone", came_from: "Before", went_to: "After", withheld_why: "Flows of fewer than {k} visitors are withheld; shares are of those that are told.",
    move: "What if a shelf moves?", move_from: "Category of", move_to: "to the place of", estimate: "Estimate",
    figure: "Figure", stoppers: "Stops", now: "Now", expected: "Expected", change: "Change", low: "Lower bound (95 %)", high: "Upper bound (95 %)",
    if_nobody: "if nobody came for it", if_all: "if all came for it", assumptions: "Assumed",
    ways_stay: "Ways stay as they are; who turned back came for the category; passers-by stop as often elsewhere; nothing else moves. It is no experiment.",
    save: "flows",
  },
};
