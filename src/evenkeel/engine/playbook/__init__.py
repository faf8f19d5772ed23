"""Running a playbook: one account, a sub-account for each play, and the decisions that they share."""
