"""Walking routes of a site. Layer: rules, above rtls.positioning, whose walkable grid it uses."""
