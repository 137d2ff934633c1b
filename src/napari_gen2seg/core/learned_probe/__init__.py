"""The learned probe without its network: what it reads, and what is made of its answer.

probe      clicks on a coloring -> a mask: `Probe`; start here
choice     similarity or learned: which of them answers
looking    through which windows, one after the other
looks      which window to look at, by the object's size
window     a square of the map, at the scale at which the network sees it
inputs     image, map and clicks in a window, as channels
answer     what the network said, and how a click may change it
threshold  what the tolerance means to it
"""
