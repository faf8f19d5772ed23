"""The play suites: plays as rows of tables, from which documents, runs, tests and the coverage page are made."""
