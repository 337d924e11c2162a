// Words of the parts that every screen uses.

export const KIT_WORDS = {
  de: {
    offline: "Keine Verbindung zum Server. Die Seite versucht es von selbst wieder.",
    retry: "Noch einmal versuchen",
    close: "Schließen",
    cancel: "Abbrechen",
    save: "Speichern",
    loading: "Lädt …",
    done: "Fertig",
  },
  en: {
    offline: "No connection to the server. The page keeps trying by itself.",
    retry: "Try again",
    close: "Close",
    cancel: "Cancel",
    save: "Save",
    loading: "Loading …",
    done: "Done",
  },
};
