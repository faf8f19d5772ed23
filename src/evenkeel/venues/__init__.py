"""One folder a venue. A venue carries orders out and reports; it decides nothing."""
