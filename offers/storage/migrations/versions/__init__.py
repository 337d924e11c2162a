"""One module for each revision, oldest first. Layer: edges."""
