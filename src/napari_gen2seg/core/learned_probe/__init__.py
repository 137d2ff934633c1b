"""The learned probe without its network: what it reads, and what is made of its answer.

window   a square of the map, at the size at which the network sees it
inputs   image, map and clicks in a window, as channels
"""
