"""From clicks to a mask on a coloring map.

prober          clicks on a map -> a mask; start here
prompts         the clicks, checked
drawn_prompts   boxes and scribbles as clicks
settings        what may be asked of a probe
mask            the answer
sequence        clicks in their order: the first finds, the others correct
one_click       the object under one click
corrections     what one more click adds, or takes, near itself
distance_rule   our rule: near in color, connected, stopped by edges
published_rule  the rule of the paper, bit for bit
published_query the color that the paper's rule means by a click
query_color     the color that a click means
cost_field      what each pixel costs under the clicks
flood           connected to the clicks
tolerance       where the area hardly depends on the tolerance
sharpen         blurred edges of a map made steps
cleanup         small holes and rough rims
guided_outline  outlines at the resolution of the image
"""
