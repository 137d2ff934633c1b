"""The dock that finds the objects of many images.

widget  the dock; start here
job     what it runs, behind the window
"""
