"""What is known when an order is judged: one frozen snapshot in five parts, of which each is replaced when it changes.

None is not known, and a gate that needs it refuses. Stamps are `known_ns`, when we learned of something, never when it
happened: what comes late is old. A stamp of `NEVER` says that there has been nothing yet, which is knowledge.
"""
