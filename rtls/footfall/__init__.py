"""Where people stood and how they walked, as reports that tell of no person. Layer: rules."""
