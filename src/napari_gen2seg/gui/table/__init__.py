"""Table of objects: one row each, measured behind the window.

widget   the dock: table, copy, save
rows     rows and columns as Qt shows them
reader   measures the plane in view, and what changed of it
told     certainty, origin and class, as the journal tells them
"""
