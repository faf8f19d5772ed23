"""What people look at: reports of finished runs, later alerts, metrics and the dashboard.

Nothing here touches an order; everything here reads what other rooms have written.
"""
