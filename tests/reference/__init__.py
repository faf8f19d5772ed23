"""Second opinions: slow, plain restatements of the specification, and the harness that feeds real nodes beside them."""
