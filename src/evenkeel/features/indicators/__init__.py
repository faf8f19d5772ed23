"""One file an indicator; the registry finds them by looking here."""
