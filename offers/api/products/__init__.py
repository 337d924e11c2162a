"""Routes of products: the catalogue for the staff, search for shoppers. Layer: edges."""
