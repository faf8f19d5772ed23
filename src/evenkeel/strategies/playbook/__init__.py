"""Playbooks and systems: several plays under one account, which of them trades when, and with how much."""
