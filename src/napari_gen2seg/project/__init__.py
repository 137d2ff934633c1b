"""Data sets in the making: nothing is lost, and what comes out others can read.

identity   which image it is, by path and content
origin     where a mask comes from: model, map, clicks, who
journal/   every act on an image, in a file before it is shown
"""
