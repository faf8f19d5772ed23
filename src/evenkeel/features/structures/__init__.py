"""One file a structure detector; the registry finds them by looking here."""
