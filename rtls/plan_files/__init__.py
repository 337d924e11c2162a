"""Plans of foreign make: pictures, PDF, DXF, SVG, GeoJSON and IMDF become features of a site map.

Layer: rules. Takes: the bytes of a file. Gives: an `ImportedPlan`, and IMDF of a site map.
"""
